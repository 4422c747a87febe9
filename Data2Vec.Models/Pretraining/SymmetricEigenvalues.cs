namespace Data2Vec.Models;

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
