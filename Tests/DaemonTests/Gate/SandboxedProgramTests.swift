import Files
import Foundation
import Testing

@testable import Daemon

/// What a program that was restricted can still do.
@Suite struct SandboxedProgramTests {
    private static let hasLandlock: Bool = {
        let path = "/sys/kernel/security/lsm"
        return (try? String(contentsOfFile: path, encoding: .utf8))?.contains("landlock") ?? false
    }()

    @Test(.enabled(if: hasLandlock, "the kernel does not have Landlock switched on"))
    func writesInItsFolderAloneInOwnProcess() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let root = NSTemporaryDirectory() + "sandbox-\(UUID().uuidString)"
            for name in ["own", "other"] { try Durable.createDirectories("\(root)/\(name)") }
            try Data("weights".utf8).write(to: URL(filePath: "\(root)/other/model"))
            let script = """
                cd \(root); echo x > own/a || exit 1; echo x > /dev/null || exit 2; grep -q weights other/model || exit 3
                (echo x > other/b) 2> /dev/null && exit 4; (echo x > other/model) 2> /dev/null && exit 5
                rm other/model 2> /dev/null && exit 6; exit 0
                """
            exit(SandboxedProgram.exec(["--network", "\(root)/own", "--", "/bin/sh", "-c", script]))
        }
    }

    @Test func makesNoConnectionsInOwnProcess() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let folder = NSTemporaryDirectory()
            let script = "(exec 3<>/dev/tcp/127.0.0.1/1) 2>&1 | grep -q 'ermission denied'"
            exit(SandboxedProgram.exec([folder, "--", "/bin/bash", "-c", script]))
        }
        await #expect(processExitsWith: .exitCode(0)) {
            let folder = NSTemporaryDirectory()
            let script = "(exec 3<>/dev/tcp/127.0.0.1/1) 2>&1 | grep -q 'refused'"
            exit(SandboxedProgram.exec(["--network", folder, "--", "/bin/bash", "-c", script]))
        }
    }

    @Test func whatCantBeStartedIsSaidInOwnProcess() async {
        await #expect(processExitsWith: .exitCode(126)) {
            exit(SandboxedProgram.exec([NSTemporaryDirectory(), "--", "/nowhere/judge"]))
        }
        await #expect(processExitsWith: .exitCode(126)) { exit(SandboxedProgram.exec(["/tmp"])) }
    }
}
