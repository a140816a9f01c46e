package import NIOCore

/// Closes a connection that sends more bytes than the head of a request may have. Stands before the HTTP decoder, which
/// would collect the names and values of a head without end.
package final class RequestLimit: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    private var left: Int

    package init(maximumBytes: Int) { left = maximumBytes }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        left -= unwrapInboundIn(data).readableBytes
        guard left >= 0 else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }
}
