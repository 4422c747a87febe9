namespace Data2Vec.Bench.Conformance;

/// <summary>
/// What float32 can be held to where no difference of a published float32 run is recorded: cases of NaN, infinities and
/// numbers at the ends of float64. Only entries whose operands are float32 numbers are compared, each by itself, with
/// the recorded value rounded to float32: what is too large for it is infinite there, what is too small 0.
/// </summary>
internal static class FloatEntries
{
    /// <summary>The smallest normal number: below it float32 has fewer digits.</summary>
    private const double SmallestNormal = 1.1754943508222875e-38;

    /// <summary>For each entry, whether every operand is a float32 number there.</summary>
    /// <exception cref="NotExpressibleException">No entry is, or the operands are not of one shape.</exception>
    public static bool[] Of(IReadOnlyList<double[]> operands)
    {
        var entries = new bool[operands.Max(x => x.Length)];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = operands.All(x => x.Length == entries.Length && (double.IsNaN(x[i]) || (float)x[i] == x[i]));
        return entries.Contains(true)
            ? entries
            : throw new NotExpressibleException("no entry is a float32 number, and no float32 difference is recorded");
    }

    /// <summary>The entry that differs most.</summary>
    public static Difference Compare(string name, double[] got, double[] expected, bool[] entries)
    {
        if (got.Length != entries.Length || expected.Length != entries.Length)
            throw new NotExpressibleException("a result of another shape has no float32 difference to be measured by");
        var worst = new Difference(name, 0, 0);
        for (var i = 0; i < entries.Length; i++)
        {
            if (!entries[i]) continue;
            var tolerance = new Tolerance(Tolerance.Single, SmallestNormal);
            var here = Comparison.Compare($"{name}[{i}]", got[i], (float)expected[i], tolerance);
            if (here.Ratio > worst.Ratio) worst = here;
        }
        return worst;
    }
}
