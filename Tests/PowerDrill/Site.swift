/// Where things are in the guest.
struct Site {
    /// The disk under test and the one that its writes are logged on.
    let disk: String
    let log: String
    /// A file in memory: what a disk was when the power went.
    let scratch: String
    /// The program that does one step, and the one that it says to that the step is done.
    let storeDrill: String
    let acknowledge: String
    /// How often each flush is looked at with some of its writes lost.
    let losses: Int
}
