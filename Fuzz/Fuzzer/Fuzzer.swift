import Attacks
import Glibc

/// The attack that SUPERMERGE_FUZZ names, and the path of its scratch file.
private let attack: Attack = {
    guard let name = getenv("SUPERMERGE_FUZZ"), let attack = Attack(rawValue: String(cString: name)) else {
        fatalError("set SUPERMERGE_FUZZ to one of \(Attack.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return attack
}()
private let scratch = "/dev/shm/supermerge-fuzz-\(getpid())"

/// What libFuzzer calls with every input. A trap, a hang, too much memory or `Attack.Broken` is a find.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    do {
        _ = try attack.run(bytes, scratch: scratch)
    } catch {
        fatalError("\(error)")
    }
    return 0
}
