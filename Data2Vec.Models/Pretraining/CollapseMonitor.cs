using System.Numerics;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Signs of collapse in one batch of targets and predictions.</summary>
/// <param name="TargetDeviation">Mean over channels of sqrt(unbiased variance over masked rows + 1e-6).</param>
/// <param name="PredictionDeviation">The same of the predictions.</param>
/// <param name="PositionR2">Share of the targets' variance that the mean per position explains, in [0, 1].</param>
/// <param name="EffectiveRank">exp of the entropy of the normalised eigenvalues of the targets' covariance.</param>
/// <param name="Stages">Deviation of the teacher's encoder input and of every layer's output.</param>
public sealed record CollapseReport(
    double TargetDeviation, double PredictionDeviation, double PositionR2, double EffectiveRank,
    IReadOnlyList<double> Stages)
{
    /// <summary>Of a step that was not looked at.</summary>
    public static CollapseReport Unknown { get; } = new(double.NaN, double.NaN, double.NaN, double.NaN, []);
}

/// <summary>
/// Deviations as published (fairseq 3d262bb, compute_var), and two numbers that they do not see: targets that are a
/// function of the position alone keep healthy deviations while position R2 nears 1 and the effective rank falls to a
/// few.
/// </summary>
public static class CollapseMonitor
{
    /// <summary>
    /// Rows that rank and R2 are computed from, at most: a sample is enough, and the rank costs n D².
    /// </summary>
    private const int MostRows = 2048;

    /// <summary>All signs of one micro-batch whose teacher was kept.</summary>
    /// <param name="result">The micro-batch.</param>
    /// <param name="dataRows">Rows of the flattened positions that hold data.</param>
    public static CollapseReport Look(ObjectiveResult result, int[] dataRows)
    {
        var (time, width) = (result.AllTargets.Shape[1], result.AllTargets.Shape[2]);
        var step = Math.Max(1, (dataRows.Length + MostRows - 1) / MostRows);
        int[] rows = [.. dataRows.Where((_, i) => i % step == 0)];
        var targets = Pick(result.AllTargets, rows);
        return new CollapseReport(
            Deviation(Masked(result.Target), width), Deviation(Masked(result.Prediction), width),
            PositionR2(targets, Array.ConvertAll(rows, r => r % time), width), EffectiveRank(targets, width),
            [.. (result.Teacher?.Hidden ?? []).Select(h => Deviation(Pick(h, rows), width))]);

        ReadOnlySpan<float> Masked(Tensor x) => x.ToArray<float>().AsSpan(0, result.Rows * width);
    }

    /// <summary>Rows of [B, T, D], flattened to [B * T, D].</summary>
    private static float[] Pick(Tensor x, int[] rows)
    {
        var width = x.Shape[2];
        var all = Ops.Cast(x, DType.Float32).ToArray<float>();
        var picked = new float[rows.Length * width];
        for (var r = 0; r < rows.Length; r++) all.AsSpan(rows[r] * width, width).CopyTo(picked.AsSpan(r * width));
        return picked;
    }

    /// <summary>Mean over channels of sqrt(unbiased variance + 1e-6); 0 rows or 1 give 0.</summary>
    public static double Deviation<T>(ReadOnlySpan<T> rows, int width)
        where T : unmanaged, INumber<T>
    {
        var n = rows.Length / Math.Max(1, width);
        if (n < 2) return 0;
        double total = 0;
        for (var c = 0; c < width; c++)
        {
            double mean = 0, squares = 0;
            for (var r = 0; r < n; r++) mean += double.CreateTruncating(rows[r * width + c]);
            mean /= n;
            for (var r = 0; r < n; r++)
            {
                var d = double.CreateTruncating(rows[r * width + c]) - mean;
                squares += d * d;
            }
            total += Math.Sqrt(squares / (n - 1) + 1e-6);
        }
        return total / width;
    }

    /// <summary>
    /// Share of variance explained by the mean per position, less what chance explains (adjusted R2).
    /// </summary>
    /// <param name="rows">[n, width].</param>
    /// <param name="positions">Position of each row.</param>
    /// <param name="width">Channels.</param>
    public static double PositionR2(ReadOnlySpan<float> rows, ReadOnlySpan<int> positions, int width)
    {
        var n = positions.Length;
        var groups = new Dictionary<int, (int Count, double[] Sum)>();
        var mean = new double[width];
        for (var r = 0; r < n; r++)
        {
            if (!groups.TryGetValue(positions[r], out var g)) g = (0, new double[width]);
            for (var c = 0; c < width; c++)
            {
                g.Sum[c] += rows[r * width + c];
                mean[c] += rows[r * width + c];
            }
            groups[positions[r]] = (g.Count + 1, g.Sum);
        }
        if (n <= groups.Count) return 0;
        double within = 0, total = 0;
        for (var r = 0; r < n; r++)
        {
            var (count, sum) = groups[positions[r]];
            for (var c = 0; c < width; c++)
            {
                double x = rows[r * width + c];
                within += (x - sum[c] / count) * (x - sum[c] / count);
                total += (x - mean[c] / n) * (x - mean[c] / n);
            }
        }
        if (total <= 0) return 0;
        return Math.Clamp(1 - within / (n - groups.Count) / (total / (n - 1)), 0, 1);
    }

    /// <summary>
    /// exp(entropy) of the eigenvalues of the covariance, normalised to sum 1: between 1 and the width.
    /// </summary>
    public static double EffectiveRank(ReadOnlySpan<float> rows, int width)
    {
        var n = rows.Length / Math.Max(1, width);
        if (n < 2) return 1;
        var mean = new double[width];
        for (var r = 0; r < n; r++)
            for (var c = 0; c < width; c++) mean[c] += rows[r * width + c] / (double)n;
        var covariance = new double[width, width];
        var centred = new double[width];
        for (var r = 0; r < n; r++)
        {
            for (var c = 0; c < width; c++) centred[c] = rows[r * width + c] - mean[c];
            for (var i = 0; i < width; i++)
                for (var j = 0; j <= i; j++) covariance[i, j] += centred[i] * centred[j];
        }
        var eigenvalues = SymmetricEigenvalues.Of(covariance);
        var total = eigenvalues.Sum(v => Math.Max(0, v));
        if (total <= 0) return 1;
        if (!double.IsFinite(total)) return double.NaN;
        double entropy = 0;
        foreach (var v in eigenvalues)
        {
            var p = Math.Max(0, v) / total;
            if (p > 0) entropy -= p * Math.Log(p);
        }
        return Math.Exp(entropy);
    }
}
