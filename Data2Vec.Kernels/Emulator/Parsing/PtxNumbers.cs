using System.Globalization;

namespace Data2Vec.Kernels.Emulator;

/// <summary>Numbers as PTX writes them. Source: PTX ISA 8.4, section 4.5.</summary>
internal static class PtxNumbers
{
    /// <summary>True if a word begins as a number does.</summary>
    public static bool Is(string word) => char.IsAsciiDigit(word[0])
        || (word[0] == '.' && word.Length > 1 && char.IsAsciiDigit(word[1]));

    /// <summary>
    /// The bits of a number and what they are: decimal, 0x, octal, 0b, 0f and eight digits, 0d and sixteen, or with a
    /// point.
    /// </summary>
    public static (long Bits, PtxNumber Float) Parse(string word, bool negative, int line)
    {
        if (word.Length == 10 && word[0] == '0' && word[1] is 'f' or 'F')
        {
            if (!uint.TryParse(word.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var single))
                throw new PtxException(line, $"{word} is no number.");
            return (negative ? single ^ 0x8000_0000 : single, PtxNumber.Float32);
        }
        if (word.Length == 18 && word[0] == '0' && word[1] is 'd' or 'D')
        {
            if (!ulong.TryParse(word.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var wide))
                throw new PtxException(line, $"{word} is no number.");
            return ((long)(negative ? wide ^ 0x8000_0000_0000_0000 : wide), PtxNumber.Float64);
        }
        var hexadecimal = word.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (!hexadecimal && (word.Contains('.') || word.Contains('e') || word.Contains('E')))
        {
            if (!double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var real))
                throw new PtxException(line, $"{word} is no number.");
            return (BitConverter.DoubleToInt64Bits(negative ? -real : real), PtxNumber.Float64);
        }
        var digits = word.AsSpan().TrimEnd('U');
        ulong value = 0;
        var good = hexadecimal
            ? ulong.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : word.StartsWith("0b", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(digits[2..], NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out value)
            : digits.Length > 1 && digits[0] == '0' ? TryOctal(digits, out value)
            : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        if (!good) throw new PtxException(line, $"{word} is no number.");
        return (negative ? -(long)value : (long)value, PtxNumber.Integer);
    }

    private static bool TryOctal(ReadOnlySpan<char> digits, out ulong value)
    {
        value = 0;
        foreach (var d in digits)
        {
            if (d is < '0' or > '7') return false;
            value = value * 8 + (ulong)(d - '0');
        }
        return true;
    }
}
