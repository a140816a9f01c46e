package import NIOPosix

/// The one thread on which this process reads and writes its HTTP connections.
package enum ControlEventLoop {
    package static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}
