namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// A shape with the strides of up to three operands, as kernels walk it: dimensions that are dense for every operand are
/// merged, and fields take the place of arrays, which would lie in slow memory. Dimension 0 is the innermost.
/// </summary>
internal struct DeviceLayout
{
    private int rank;
    private long e0, e1, e2, e3, e4, e5, e6;
    private long startX, startY, startZ;
    private DeviceStrides x, y, z;

    /// <summary>
    /// Offsets of element number <paramref name="index"/> (row-major) in each operand, from <see cref="MergedLayout.Lowest"/> on.
    /// </summary>
    public readonly void Offsets(long index, out long ofX, out long ofY, out long ofZ)
    {
        long i = index, a = startX, b = startY, c = startZ;
        if (rank > 1) Step(ref i, e0, x.S0, y.S0, z.S0, ref a, ref b, ref c);
        if (rank > 2) Step(ref i, e1, x.S1, y.S1, z.S1, ref a, ref b, ref c);
        if (rank > 3) Step(ref i, e2, x.S2, y.S2, z.S2, ref a, ref b, ref c);
        if (rank > 4) Step(ref i, e3, x.S3, y.S3, z.S3, ref a, ref b, ref c);
        if (rank > 5) Step(ref i, e4, x.S4, y.S4, z.S4, ref a, ref b, ref c);
        if (rank > 6) Step(ref i, e5, x.S5, y.S5, z.S5, ref a, ref b, ref c);
        if (rank > 7) Step(ref i, e6, x.S6, y.S6, z.S6, ref a, ref b, ref c);
        // Whatever is left counts the outermost dimension.
        ofX = a + i * x.Last;
        ofY = b + i * y.Last;
        ofZ = c + i * z.Last;
    }

    /// <summary>A layout for the shape; operands that do not exist have zero strides.</summary>
    public static DeviceLayout Of(Shape shape, in Strides x, in Strides y, in Strides z) =>
        Of(new MergedLayout(shape, x, y, z));

    public static DeviceLayout Of(in MergedLayout m) => new()
    {
        rank = m.Rank, startX = -m.Lowest(m.X), startY = -m.Lowest(m.Y), startZ = -m.Lowest(m.Z),
        e0 = m.Extents[0], e1 = m.Extents[1], e2 = m.Extents[2], e3 = m.Extents[3], e4 = m.Extents[4], e5 = m.Extents[5],
        e6 = m.Extents[6],
        x = DeviceStrides.Of(m.X, m.Rank), y = DeviceStrides.Of(m.Y, m.Rank), z = DeviceStrides.Of(m.Z, m.Rank),
    };

    private static void Step(
        ref long i, long extent, long sx, long sy, long sz, ref long a, ref long b, ref long c)
    {
        // 64-bit division is an order slower than 32-bit on every GPU, and tensors rarely need it.
        long at, rest;
        if (i <= int.MaxValue)
        {
            var whole = (uint)i / (uint)extent;
            at = (uint)i - whole * (uint)extent;
            rest = whole;
        }
        else
        {
            rest = i / extent;
            at = i - rest * extent;
        }
        a += at * sx;
        b += at * sy;
        c += at * sz;
        i = rest;
    }

    /// <summary>Strides of one operand; Last is that of the outermost dimension.</summary>
    private struct DeviceStrides
    {
        public long S0, S1, S2, S3, S4, S5, S6, Last;

        public static DeviceStrides Of(in MergedLayout.Numbers strides, int rank) => new()
        {
            S0 = strides[0], S1 = strides[1], S2 = strides[2], S3 = strides[3], S4 = strides[4], S5 = strides[5], S6 = strides[6],
            Last = rank == 0 ? 0 : strides[rank - 1],
        };
    }
}
