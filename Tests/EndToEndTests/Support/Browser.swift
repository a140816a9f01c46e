import Foundation
import Glibc

/// Chromium without a window, driven over its debugging pipe: one page at a time.
final class Browser {
    /// nil where no Chromium is installed.
    static let program = [
        "/usr/lib/chromium/chromium", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
    ]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

    private let folder: TemporaryFolder
    private let pid: pid_t
    private let commands: Int32
    private let replies: Int32
    private var received = Data()
    private var number = 0
    private var session = ""
    /// What the page has complained of so far: errors of its script, and what its policy forbade.
    private(set) var complaints: [String] = []

    init() throws {
        folder = try TemporaryFolder()
        var (down, up): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard let program = Self.program, pipe(&down) == 0, pipe(&up) == 0 else {
            throw ChildProcess.Failure(description: "no browser")
        }
        for end in down + up { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (commands, replies) = (down[1], up[0])
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The ends are moved out of the way first: they may have the numbers 3 and 4 themselves.
        for (from, to) in [(down[0], 103), (up[1], 104), (103, 3), (104, 4)] as [(Int32, Int32)] {
            posix_spawn_file_actions_adddup2(&actions, from, to)
        }
        for number in [103, 104] as [Int32] { posix_spawn_file_actions_addclose(&actions, number) }
        for number in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        let arguments = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
            "--remote-debugging-pipe", "--user-data-dir=\(folder.path)", "about:blank",
        ]
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let variables = ["PATH=/usr/bin:/bin", "HOME=\(folder.path)", "LC_ALL=C.UTF-8"]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, nil, &argv, &envp)
        close(down[0])
        close(up[1])
        guard code == 0 else { throw ChildProcess.Failure(description: String(cString: strerror(code))) }
        self.pid = pid
        let target = try send("Target.createTarget", ["url": "about:blank"])
        let attached = try send(
            "Target.attachToTarget", ["targetId": target["targetId"] as? String ?? "", "flatten": true])
        session = attached["sessionId"] as? String ?? ""
        for domain in ["Page", "Runtime", "Log"] { try send("\(domain).enable") }
    }

    deinit {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        close(commands)
        close(replies)
    }

    /// A window of this size that prefers light or dark.
    func show(width: Int, height: Int, isDark: Bool) throws {
        try send(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600])
        let scheme = ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]
        try send("Emulation.setEmulatedMedia", ["features": [scheme]])
    }

    /// Returns once the page and what it refers to are loaded.
    func open(_ url: String) throws {
        let reply = try send("Page.navigate", ["url": url])
        if let text = reply["errorText"] as? String { throw ChildProcess.Failure(description: "\(url): \(text)") }
        try evaluate(
            "new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))")
    }

    /// The value of an expression that JSON can hold; a promise is waited for.
    @discardableResult
    func evaluate(_ expression: String) throws -> Any {
        let reply = try send(
            "Runtime.evaluate", ["expression": expression, "returnByValue": true, "awaitPromise": true])
        if let fault = reply["exceptionDetails"] as? [String: Any] {
            throw ChildProcess.Failure(description: "\(expression): \(fault)")
        }
        return (reply["result"] as? [String: Any])?["value"] ?? NSNull()
    }

    func text(_ selector: String) throws -> String {
        try evaluate("document.querySelector(\"\(selector)\")?.textContent ?? ''") as? String ?? ""
    }

    /// Returns once the expression is true; the page looks at each of its changes.
    func wait(for expression: String) throws {
        let script = """
            new Promise(resolve => {
              const look = () => { if (\(expression)) { watcher.disconnect(); resolve(true); } };
              const watcher = new MutationObserver(look);
              watcher.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
              look();
            })
            """
        try evaluate(script)
    }

    /// Presses a key as a person would.
    func press(_ key: String, code: Int) throws {
        for kind in ["rawKeyDown", "keyUp"] {
            try send(
                "Input.dispatchKeyEvent",
                ["type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code])
        }
    }

    /// A picture of the window, or with `isWhole` of the whole page.
    func screenshot(_ path: String, isWhole: Bool = false) throws {
        let reply = try send(
            "Page.captureScreenshot", ["format": "png", "captureBeyondViewport": isWhole, "optimizeForSpeed": false])
        let data = Data(base64Encoded: reply["data"] as? String ?? "") ?? Data()
        try data.write(to: URL(filePath: path))
    }

    @discardableResult
    private func send(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
        number += 1
        var message: [String: Any] = ["id": number, "method": method, "params": parameters]
        if !session.isEmpty { message["sessionId"] = session }
        let bytes = Array(try JSONSerialization.data(withJSONObject: message)) + [0]
        guard write(commands, bytes, bytes.count) == bytes.count else {
            throw ChildProcess.Failure(description: "the browser is gone")
        }
        while true {
            let reply = try next()
            note(reply)
            guard reply["id"] as? Int == number else { continue }
            if let fault = reply["error"] { throw ChildProcess.Failure(description: "\(method): \(fault)") }
            return reply["result"] as? [String: Any] ?? [:]
        }
    }

    private func note(_ event: [String: Any]) {
        let parameters = event["params"] as? [String: Any] ?? [:]
        switch event["method"] as? String {
        case "Runtime.exceptionThrown": complaints.append("\(parameters)")
        case "Log.entryAdded":
            let entry = parameters["entry"] as? [String: Any] ?? [:]
            if entry["source"] as? String != "network" { complaints.append("\(entry)") }
        default: break
        }
    }

    /// The next message of the browser.
    private func next() throws -> [String: Any] {
        let end = ContinuousClock.now + .ample
        while true {
            if let end = received.firstIndex(of: 0) {
                let message = received[..<end]
                received = Data(received[(end + 1)...])
                return try JSONSerialization.jsonObject(with: Data(message)) as? [String: Any] ?? [:]
            }
            guard Await.isReadable(replies, until: end) else {
                throw ChildProcess.Failure(description: "the browser says nothing")
            }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(replies, &buffer, buffer.count)
            guard count > 0 else { throw ChildProcess.Failure(description: "the browser has ended") }
            received += buffer[..<count]
        }
    }
}
