import Attacks
import Glibc

/// The attack that SUPERMERGE_FUZZ names; nil for `control`, whose find is planted.
private let attack: Attack? = {
    let name = getenv("SUPERMERGE_FUZZ").map { String(cString: $0) }
    if name == "control" { return nil }
    guard let attack = name.flatMap(Attack.init) else {
        fatalError(
            "set SUPERMERGE_FUZZ to control or one of \(Attack.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return attack
}()
private let scratch = "/dev/shm/supermerge-fuzz-\(getpid())"

/// What libFuzzer calls with every input. A trap, a hang, too much memory or `Attack.Broken` is a find.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    do {
        guard let attack else {
            precondition(
                bytes.first != UInt8(ascii: "!") || bytes.dropFirst().first != UInt8(ascii: "?"), "the planted find")
            return 0
        }
        _ = try attack.run(bytes, scratch: scratch)
    } catch {
        fatalError("\(error)")
    }
    return 0
}
