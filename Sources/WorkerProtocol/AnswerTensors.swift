internal import Foundation

/// What a set of questions has beside inputs and labels, so that positions of tokens become words again.
package enum AnswerTensors {
    /// int32 [examples, tokens, 2]: the bytes of the text that each token stands for, from and to; −1 for tokens of the
    /// question and special ones.
    package static let offsets = "answer_offsets"
    /// uint8 [examples, bytes]: of each example the JSON of an `AnswerText`, with zeros behind it.
    package static let texts = "answer_texts"
    package static let all = [offsets, texts]
}

/// A text that a question is about, and what answers it there.
package struct AnswerText: Codable, Hashable, Sendable {
    package var context: String
    /// Any of them is right; none: the text does not answer the question.
    package var answers: [String]

    package init(context: String, answers: [String]) {
        (self.context, self.answers) = (context, answers)
    }

    /// Nil where the bytes are not the JSON of one.
    package init?(_ bytes: some Collection<UInt8>) {
        guard let text = try? JSON.decode(AnswerText.self, from: Data(bytes.prefix { $0 != 0 })) else { return nil }
        self = text
    }

    /// Its JSON.
    package func bytes() throws -> [UInt8] { Array(try JSON.encode(self)) }
}
