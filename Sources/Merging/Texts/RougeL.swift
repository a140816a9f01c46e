/// ROUGE-L of two texts: F of the longest common subsequence of their words (Lin, ACL Workshop 2004), as rouge_score
/// computes `rougeL` without its stemmer.
enum RougeL {
    /// 2 P R / (P + R) with P and R the subsequence's share of the text's and of the reference's words; 0 where either
    /// has none. O(words of the text · words of the reference).
    static func value(_ text: String, _ reference: String) -> Double {
        let (own, other) = (words(of: text), words(of: reference))
        let common = Double(longestCommonSubsequence(own, other))
        guard common > 0 else { return 0 }
        let (precision, recall) = (common / Double(own.count), common / Double(other.count))
        return 2 * precision * recall / (precision + recall)
    }

    /// Runs of a to z and 0 to 9 in lower case; nothing else makes a word.
    private static func words(of text: String) -> [ArraySlice<UInt8>] {
        Array(text.lowercased().utf8).split { byte in
            !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }

    private static func longestCommonSubsequence(_ first: [ArraySlice<UInt8>], _ second: [ArraySlice<UInt8>]) -> Int {
        var lengths = [Int](repeating: 0, count: second.count + 1)
        for word in first {
            var diagonal = 0
            for (place, other) in second.enumerated() {
                let above = lengths[place + 1]
                lengths[place + 1] = word == other ? diagonal + 1 : max(above, lengths[place])
                diagonal = above
            }
        }
        return lengths[second.count]
    }
}
