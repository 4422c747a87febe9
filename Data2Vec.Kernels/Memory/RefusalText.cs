using System.Globalization;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels;

/// <summary>
/// The sentence of a refusal, put together only when its condition fails: a check that passes makes no garbage. The
/// compiler makes one from an interpolated string.
/// </summary>
[InterpolatedStringHandler]
public ref struct RefusalText
{
    private DefaultInterpolatedStringHandler text;

    /// <summary>Begins the sentence, or notes that none is needed.</summary>
    /// <param name="literalLength">Characters between the values.</param>
    /// <param name="formattedCount">Number of values.</param>
    /// <param name="condition">What the check demands.</param>
    /// <param name="isNeeded">False when the condition holds: nothing is appended then.</param>
    public RefusalText(int literalLength, int formattedCount, bool condition, out bool isNeeded)
    {
        isNeeded = !condition;
        text = condition ? default : new(literalLength, formattedCount, CultureInfo.InvariantCulture);
    }

    /// <summary>Adds words.</summary>
    public void AppendLiteral(string words) => text.AppendLiteral(words);

    /// <summary>Adds a value.</summary>
    public void AppendFormatted<T>(T value) => text.AppendFormatted(value);

    /// <summary>Adds a value in a format.</summary>
    public void AppendFormatted<T>(T value, string? format) => text.AppendFormatted(value, format);

    /// <summary>The sentence; may be asked for once.</summary>
    public override string ToString() => text.ToStringAndClear();
}
