using System.Globalization;
using System.Text;

namespace Data2Vec.Engine.Serialization;

/// <summary>
/// A safetensors file breaks the promise of its format, or lacks what is asked of it. The message is one sentence
/// that names the file, the tensor where there is one, and what was expected.
/// </summary>
/// <remarks>An IOException, so that whoever reads files handles this as any other failure to read one.</remarks>
public sealed class SafetensorsException : IOException
{
    private const int LongestQuote = 100;

    /// <summary>A refusal with this sentence.</summary>
    public SafetensorsException(string message)
        : base(message)
    {
    }

    /// <summary>A refusal with this sentence and what led to it.</summary>
    public SafetensorsException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>A text from a file made fit for a message: quoted, on one line, of bounded length.</summary>
    internal static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, LongestQuote)))
        {
            if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029')
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else
                quoted.Append(c);
        }
        return quoted.Append(text.Length > LongestQuote ? "...\"" : "\"").ToString();
    }
}
