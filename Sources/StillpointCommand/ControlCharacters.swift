// Names of files may hold any byte but two. What is printed for people never holds a character that
// moves the cursor or begins an escape sequence, whatever the names are.

extension String {
    /// With control characters written as Swift would: `\n`, `\u{1B}`.
    var withoutControlCharacters: String {
        guard unicodeScalars.contains(where: Self.isControl) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if Self.isControl(scalar) {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The control characters of ASCII and of Latin-1, and the separators that break a line.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar.value == 0x2028
            || scalar.value == 0x2029
    }
}
