namespace Data2Vec.Kernels.Cuda;

/// <summary>Chooses a plan; see <see cref="ProductPlan.For"/>.</summary>
internal delegate ProductPlan ProductPlanner(int m, int n, int k, int batch, DType type, bool canBeLarge);

/// <summary>
/// How a product is cut: the size of a tile of C, and into how many parts the sums over K. It depends on the shape and
/// the type only, never on the device: the order of the sums depends on it, and so the last bits of the result.
/// </summary>
/// <param name="IsLarge">128 x 128 instead of 64 x 64.</param>
/// <param name="Parts">Parts that have terms.</param>
/// <param name="PartLength">Terms of a part.</param>
internal readonly record struct ProductPlan(bool IsLarge, int Parts, int PartLength)
{
    /// <summary>Bytes of the inner extent of a tile.</summary>
    private const int DepthBytes = 64;

    private const int MostParts = 64;
    private const int ShortestPart = 256;
    private const long MostPartial = 1 << 24;

    /// <summary>Rows and columns of a tile.</summary>
    public int Size => IsLarge ? 128 : 64;

    /// <summary>Dynamic shared memory of a block.</summary>
    public int SharedBytes => 3 * 2 * Size * DepthBytes;

    /// <summary>The plan with the least expected time, small tiles and few parts first.</summary>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Its columns.</param>
    /// <param name="k">Terms.</param>
    /// <param name="batch">Products.</param>
    /// <param name="type">Of the operands.</param>
    /// <param name="canBeLarge">There is a kernel for large tiles.</param>
    public static ProductPlan For(int m, int n, int k, int batch, DType type, bool canBeLarge)
    {
        var depth = DepthBytes / type.Size();
        var affordable = Math.Min(k / ShortestPart, MostPartial / Math.Max(1, (long)batch * m * n));
        var most = (int)Math.Clamp(affordable, 1, MostParts);
        var (best, least) = (default(ProductPlan), double.PositiveInfinity);
        for (var large = 0; large < (canBeLarge ? 2 : 1); large++)
        {
            for (var parts = 1; parts <= most; parts++)
            {
                var length = Math.Max(depth, ((k + parts - 1) / parts + depth - 1) / depth * depth);
                var plan = new ProductPlan(large != 0, Math.Max(1, (k + length - 1) / length), length);
                var time = plan.Clocks(m, n, k, batch, type);
                // What is not clearly faster is not worth a second kernel or a larger rest at the edges.
                if (time < least * 0.95) (best, least) = (plan, time);
            }
        }
        return best;
    }

    /// <summary>
    /// Expected clocks on an H100: the multiprocessor with most blocks decides; each takes what its multiply-adds take
    /// at the rate that tiles of its size reach, and parts are written and read once more.
    /// </summary>
    private double Clocks(int m, int n, int k, int batch, DType type)
    {
        const double Multiprocessors = 132, BytesPerClock = 1700;
        const int Overhead = 96, SecondKernel = 5000;
        // A block that is alone waits for its own copies and barriers.
        const double Alone = 1.4;
        // Multiply-adds of a multiprocessor in a clock. Small tiles read twice as much for each.
        var rate = (type == DType.BFloat16 ? 1070 : 110) * (IsLarge ? 1.0 : 0.75);
        var blocks = (double)((m + Size - 1) / Size) * ((n + Size - 1) / Size) * batch * Parts;
        var share = Math.Ceiling(blocks / Multiprocessors);
        var clocks = Math.Max(share, Alone) * (Math.Min(PartLength, k) + Overhead) * Size * Size / rate;
        return Parts == 1 ? clocks : clocks + 8.0 * Parts * batch * m * n / BytesPerClock + SecondKernel;
    }
}
