/// What a column of a table of examples can hold, and the names by which data sets call it.
package enum ExampleRoles {
    package static let text = "text"
    /// The second text of a pair.
    package static let pair = "text_pair"
    package static let label = "label"
    /// What the model is to write after the text.
    package static let completion = "completion"

    /// A conversation: a list of `{"role", "content"}`, of which the assistant's turns are learned.
    package static let messages = "messages"

    /// What a question can be answered with: a list of texts.
    package static let choices = "choices"

    /// The words of a text, each of which has a tag.
    package static let words = "words"
    package static let tags = "tags"

    /// The path of an image below the table's folder.
    package static let image = "image"

    /// What a question is answered by, a part of the second text, and the character at which it starts there.
    package static let answer = "answer"
    package static let answerStart = "answer_start"

    package static let all = [
        text, pair, label, completion, messages, choices, words, tags, image, answer, answerStart,
    ]

    package static let images = ["file", "image", "file_name", "filename", "image_path", "path"]

    package static let texts = [
        "text", "sentence", "sentence1", "premise", "question", "question1", "prompt", "input", "source", "document",
        "article", "instruction", "ctx",
    ]
    package static let labels = ["label", "labels"]
    package static let answers = ["label", "labels", "answer", "answerKey"]
    package static let questions = ["question", "query", "text"]
    package static let contexts = ["context", "passage", "paragraph", "document", "text_pair"]
    package static let answerTexts = ["answers", "answer", "answer_text"]
    package static let answerStarts = ["answer_start", "answer_starts", "start"]
    package static let wordLists = ["words", "tokens"]
    package static let tagLists = ["tags", "ner_tags", "labels", "label"]
    package static let lists = ["choices", "options", "endings"]
    package static let completions = ["completion", "target", "answer", "output", "summary", "response"]
    /// Two columns that make a pair where both are there.
    package static let pairs = [
        ("text", "text_pair"), ("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"),
        ("question", "sentence"), ("question", "context"), ("question", "passage"), ("query", "passage"),
    ]
    /// The same for texts that mean the same or not, and what their score is called.
    package static let similarPairs =
        [("sentence1", "sentence2"), ("sentence_A", "sentence_B"), ("text1", "text2"), ("anchor", "positive")] + pairs
    package static let scores = [
        "score", "label", "labels", "similarity", "similarity_score", "relatedness_score", "scores",
    ]
}
