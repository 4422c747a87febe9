namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Where(in WhereArgs a)
    {
        var job = new WhereRange
        {
            Args = a, Size = a.X.DType.Size(), C = HostTransfer.Address(a.Condition), X = HostTransfer.Address(a.X),
            Y = HostTransfer.Address(a.Y), Z = HostTransfer.Address(a.Z),
        };
        var inner = a.Shape.Rank == 0 ? 1 : a.Shape[-1];
        if (inner > 0) ForRanges(ref job, a.Shape.Count / inner, RowsPerChunk(inner));
    }

    private struct WhereRange : IRange
    {
        public WhereArgs Args;
        public int Size;
        public byte* C, X, Y, Z;

        public readonly void Run(long start, long end, int worker)
        {
            var rank = Args.Shape.Rank;
            var inner = rank == 0 ? 1 : Args.Shape[-1];
            var (cs, xs, ys) = rank == 0 ? (0L, 0L, 0L)
                : (Args.ConditionStrides[rank - 1], Args.XStrides[rank - 1], Args.YStrides[rank - 1]);
            for (var row = start; row < end; row++)
            {
                long c = 0, x = 0, y = 0, rest = row;
                for (var d = rank - 2; d >= 0; d--)
                {
                    var at = rest % Args.Shape[d];
                    rest /= Args.Shape[d];
                    c += at * Args.ConditionStrides[d];
                    x += at * Args.XStrides[d];
                    y += at * Args.YStrides[d];
                }
                for (long i = 0; i < inner; i++)
                {
                    var from = C[c + i * cs] != 0 ? X + (x + i * xs) * Size : Y + (y + i * ys) * Size;
                    var to = Z + (row * inner + i) * Size;
                    if (Size == 4) *(uint*)to = *(uint*)from;
                    else if (Size == 1) *to = *from;
                    else if (Size == 8) *(ulong*)to = *(ulong*)from;
                    else *(ushort*)to = *(ushort*)from;
                }
            }
        }
    }
}
