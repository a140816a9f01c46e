package import NIOCore
package import NIOHTTP1

/// Hands over the first request of a connection. What comes after its head is not read.
package final class RequestHead: ChannelInboundHandler {
    package typealias InboundIn = HTTPServerRequestPart

    private let promise: EventLoopPromise<ControlRequest>

    /// `promise` fails where the connection ends before.
    package init(_ promise: EventLoopPromise<ControlRequest>) { self.promise = promise }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) { promise.succeed(ControlRequest(head)) }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    /// The client will send no more.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { promise.fail(ChannelError.eof) }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }

    package func handlerRemoved(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }
}
