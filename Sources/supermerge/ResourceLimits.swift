import Glibc
import WorkerProtocol

/// Limits that a process sets itself before it reads what somebody else wrote; the kernel ends it beyond them.
enum ResourceLimits {
    /// Memory, processor time and length of files as `ExampleLimits` says; no core dump, whose bytes would be
    /// somebody's data. Throws nothing: a limit that can't be set is as low already.
    static func applyForExamples() {
        set(RLIMIT_AS, ExampleLimits.memory)
        // The kernel says SIGXCPU at the lower limit, and SIGKILL, which says nothing of its reason, at the upper one.
        set(RLIMIT_CPU, ExampleLimits.processorSeconds, margin: 10)
        set(RLIMIT_FSIZE, ExampleLimits.outputBytes)
        set(RLIMIT_CORE, 0)
    }

    private static func set(_ name: __rlimit_resource, _ value: Int, margin: Int = 0) {
        let resource = __rlimit_resource_t(name.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, rlim_t(value))
        limit.rlim_max = min(limit.rlim_max, rlim_t(value + margin))
        _ = unsafe setrlimit(resource, &limit)
    }
}
