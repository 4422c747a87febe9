using System.Globalization;

namespace Data2Vec.Engine.Serialization;

/// <summary>
/// For tests only: DATA2VEC_TEST_SAVE_DELAY_MS makes a save wait between its steps, so that a kill lands inside.
/// </summary>
internal static class SaveDelay
{
    public const string Variable = "DATA2VEC_TEST_SAVE_DELAY_MS";

    private static readonly int Milliseconds = int.TryParse(
        Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        ? value : 0;

    /// <summary>Called at every step instead of waiting, where a test has set it.</summary>
    [field: ThreadStatic]
    internal static Action? Instead { get; set; }

    public static void Wait()
    {
        if (Instead is { } action) action();
        else if (Milliseconds > 0) Thread.Sleep(Milliseconds);
    }
}
