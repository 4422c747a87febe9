namespace Data2Vec.Models;

/// <summary>Signs of collapse in one batch of targets and predictions.</summary>
/// <param name="TargetDeviation">Mean over channels of sqrt(unbiased variance over masked rows + 1e-6).</param>
/// <param name="PredictionDeviation">The same of the predictions.</param>
/// <param name="PositionR2">Share of the targets' variance that the mean per position explains, in [0, 1].</param>
/// <param name="EffectiveRank">exp of the entropy of the normalised eigenvalues of the targets' covariance.</param>
public sealed record CollapseReport(
    double TargetDeviation, double PredictionDeviation, double PositionR2, double EffectiveRank);

/// <summary>
/// Deviations as published (fairseq 3d262bb, compute_var), and two numbers that they do not see: targets that are a function
/// of the position alone keep healthy deviations while position R2 nears 1 and the effective rank falls to a few.
/// </summary>
public static class CollapseMonitor
{
    /// <summary>Mean over channels of sqrt(unbiased variance + 1e-6); 0 rows or 1 give 0.</summary>
    public static double Deviation(ReadOnlySpan<float> rows, int width)
    {
        var n = rows.Length / Math.Max(1, width);
        if (n < 2) return 0;
        double total = 0;
        for (var c = 0; c < width; c++)
        {
            double mean = 0, squares = 0;
            for (var r = 0; r < n; r++) mean += rows[r * width + c];
            mean /= n;
            for (var r = 0; r < n; r++)
            {
                var d = rows[r * width + c] - mean;
                squares += d * d;
            }
            total += Math.Sqrt(squares / (n - 1) + 1e-6);
        }
        return total / width;
    }

    /// <summary>Share of variance explained by the mean per position, less what chance explains (adjusted R2).</summary>
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

    /// <summary>exp(entropy) of the eigenvalues of the covariance, normalised to sum 1: between 1 and the width.</summary>
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
        double entropy = 0;
        foreach (var v in eigenvalues)
        {
            var p = Math.Max(0, v) / total;
            if (p > 0) entropy -= p * Math.Log(p);
        }
        return Math.Exp(entropy);
    }
}

/// <summary>Eigenvalues of a symmetric matrix: Householder to tridiagonal, then Sturm bisection. Golub and Van Loan 8.3, 8.4.</summary>
internal static class SymmetricEigenvalues
{
    /// <summary>All eigenvalues of the matrix whose lower triangle is given, ascending; the matrix is overwritten.</summary>
    public static double[] Of(double[,] a)
    {
        var n = a.GetLength(0);
        var diagonal = new double[n];
        var beside = new double[n];
        Tridiagonalise(a, diagonal, beside);
        var reach = 0.0;
        for (var i = 0; i < n; i++)
            reach = Math.Max(reach, Math.Abs(diagonal[i]) + Math.Abs(beside[i]) + (i + 1 < n ? Math.Abs(beside[i + 1]) : 0));
        var values = new double[n];
        for (var k = 0; k < n; k++)
        {
            double low = k == 0 ? -reach : values[k - 1], high = reach;
            for (var i = 0; i < 60 && high - low > 1e-12 * reach; i++)
            {
                var middle = (low + high) / 2;
                if (Below(diagonal, beside, middle) > k) high = middle;
                else low = middle;
            }
            values[k] = (low + high) / 2;
        }
        return values;
    }

    private static void Tridiagonalise(double[,] a, double[] diagonal, double[] beside)
    {
        var n = diagonal.Length;
        for (var i = 0; i < n; i++)
            for (var j = i + 1; j < n; j++) a[i, j] = a[j, i];
        var v = new double[n];
        var p = new double[n];
        for (var k = 0; k + 2 < n; k++)
        {
            double norm = 0;
            for (var i = k + 1; i < n; i++) norm += a[i, k] * a[i, k];
            norm = Math.Sqrt(norm);
            if (norm == 0) continue;
            var alpha = a[k + 1, k] > 0 ? -norm : norm;
            double length = 0;
            for (var i = k + 1; i < n; i++)
            {
                v[i] = a[i, k] - (i == k + 1 ? alpha : 0);
                length += v[i] * v[i];
            }
            if (length == 0) continue;
            // A := H A H with H = 1 - 2 v vᵀ / |v|².
            double dot = 0;
            for (var i = k + 1; i < n; i++)
            {
                double sum = 0;
                for (var j = k + 1; j < n; j++) sum += a[i, j] * v[j];
                p[i] = 2 * sum / length;
                dot += p[i] * v[i];
            }
            for (var i = k + 1; i < n; i++) p[i] -= dot / length * v[i];
            for (var i = k + 1; i < n; i++)
                for (var j = k + 1; j < n; j++) a[i, j] -= v[i] * p[j] + p[i] * v[j];
            a[k + 1, k] = a[k, k + 1] = alpha;
        }
        for (var i = 0; i < n; i++)
        {
            diagonal[i] = a[i, i];
            beside[i] = i == 0 ? 0 : a[i, i - 1];
        }
    }

    /// <summary>Number of eigenvalues below x, by the signs of the Sturm sequence.</summary>
    private static int Below(double[] diagonal, double[] beside, double x)
    {
        var count = 0;
        double q = 1;
        for (var i = 0; i < diagonal.Length; i++)
        {
            q = diagonal[i] - x - (i == 0 ? 0 : beside[i] * beside[i] / q);
            if (q == 0) q = 1e-300;
            if (q < 0) count++;
        }
        return count;
    }
}
