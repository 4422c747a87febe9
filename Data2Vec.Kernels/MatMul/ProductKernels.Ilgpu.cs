using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// A product [M, K] x [K, N] for each batch index, cut into tiles of C and parts of the inner extent.
/// </summary>
internal struct ProductArgs<T, TLeft, TRight>
    where T : unmanaged, IElement<T>
    where TLeft : struct, IProductOperand
    where TRight : struct, IProductOperand
{
    /// <summary>Lines are the rows of C.</summary>
    public TLeft Left;

    /// <summary>Lines are the columns of C.</summary>
    public TRight Right;

    public ProductEnd<T> End;

    /// <summary>Offsets in left, right and C.</summary>
    public DeviceLayout Batch;

    public int M, N, K, BatchCount;

    /// <summary>Tiles along the rows and columns of C.</summary>
    public int RowTiles, ColumnTiles;

    /// <summary>Parts of K, and their length, a multiple of any tile's depth.</summary>
    public int Parts, PartLength;

    /// <summary>Sums of the parts [Parts, batch, M, N] when there are several.</summary>
    public ArrayView<float> Partial;
}

/// <summary>The extents of a tile; threads hold blocks of 8 x 4 sums.</summary>
internal interface IProductTile
{
    int Rows { get; }

    int Columns { get; }

    /// <summary>Inner extent of a step.</summary>
    int Depth { get; }
}

/// <summary>For large products: 256 threads, 43 multiply-adds for each element that is fetched.</summary>
internal readonly struct LargeTile : IProductTile
{
    public int Rows => 128;

    public int Columns => 64;

    public int Depth => 16;
}

/// <summary>For small and narrow products: 64 threads.</summary>
internal readonly struct SmallTile : IProductTile
{
    public int Rows => 64;

    public int Columns => 32;

    public int Depth => 8;
}

/// <summary>
/// The product that matrix products, linear layers and convolutions share. A group sums one tile of C: it copies
/// tiles of both operands to shared memory, line by line along the inner extent, while it adds the outer products
/// of the previous ones.
/// </summary>
internal static class ProductKernels<T, TLeft, TRight>
    where T : unmanaged, IElement<T>
    where TLeft : struct, IProductOperand
    where TRight : struct, IProductOperand
{
    /// <summary>Elements of a left and of a right tile that each thread fetches.</summary>
    private const int LeftPasses = 8, RightPasses = 4;

    public static void Large(ProductArgs<T, TLeft, TRight> a)
    {
        // Two buffers of tiles, 2 * 16 * (33 + 17), then the sums, 128 * 64 / 4.
        var memory = SharedMemory.Allocate<Four<float>>(2048);
        var places = SharedMemory.Allocate<LinePlace>(128);
        Run<LargeTile>(a, memory, places);
    }

    public static void Small(ProductArgs<T, TLeft, TRight> a)
    {
        // Two buffers of tiles, 2 * 8 * (17 + 9), then the sums, 64 * 32 / 4.
        var memory = SharedMemory.Allocate<Four<float>>(512);
        var places = SharedMemory.Allocate<LinePlace>(64);
        Run<SmallTile>(a, memory, places);
    }

    private static void Run<TTile>(
        ProductArgs<T, TLeft, TRight> a, ArrayView<Four<float>> memory, ArrayView<LinePlace> places)
        where TTile : unmanaged, IProductTile
    {
        var (tileRows, tileColumns, depth) = (default(TTile).Rows, default(TTile).Columns, default(TTile).Depth);
        var rest = Grid.IdxX;
        var column = rest % a.ColumnTiles * tileColumns;
        rest /= a.ColumnTiles;
        var row = rest % a.RowTiles * tileRows;
        rest /= a.RowTiles;
        var part = rest / a.BatchCount;
        var batch = rest - part * a.BatchCount;
        a.Batch.Offsets(batch, out var fromLeft, out var fromRight, out var fromC);
        var inner = part * a.PartLength;
        var innerEnd = a.K - inner < a.PartLength ? a.K : inner + a.PartLength;

        var left = a.Left;
        var leftWalk = TileWalk.Of(left.InnerFirst, tileRows, depth, LeftPasses);
        left.Begin(fromLeft, leftWalk, row, a.M, inner, innerEnd, places);
        var right = a.Right;
        var rightWalk = TileWalk.Of(right.InnerFirst, tileColumns, depth, RightPasses);
        right.Begin(fromRight, rightWalk, column, a.N, inner, innerEnd, places);

        // Lines of a tile are a quad longer than they need: fewer threads of a warp then write to the same bank.
        var (leftPitch, rightPitch) = (tileRows / 4 + 1, tileColumns / 4 + 1);
        var scalars = memory.Cast<float>();
        var leftTo = leftWalk.Inner * leftPitch * 4 + leftWalk.Line;
        var leftToStep = leftWalk.InnerStep * leftPitch * 4 + leftWalk.LineStep;
        var rightTo = depth * leftPitch * 4 + rightWalk.Inner * rightPitch * 4 + rightWalk.Line;
        var rightToStep = rightWalk.InnerStep * rightPitch * 4 + rightWalk.LineStep;
        var bufferSize = depth * (leftPitch + rightPitch);
        var blockColumn = Group.IdxX & (tileColumns / 4 - 1);
        var blockRow = Group.IdxX / (tileColumns / 4);

        var block = default(ProductBlock);
        var (l, r) = (default(LeftFetch), default(Four<float>));
        if (inner < innerEnd) Fetch(ref left, ref right, ref l, ref r);
        var buffer = 0;
        for (; inner < innerEnd; inner += depth)
        {
            var to = buffer * 4 + leftTo;
            scalars[to] = l.V0;
            scalars[to + leftToStep] = l.V1;
            scalars[to + 2 * leftToStep] = l.V2;
            scalars[to + 3 * leftToStep] = l.V3;
            scalars[to + 4 * leftToStep] = l.V4;
            scalars[to + 5 * leftToStep] = l.V5;
            scalars[to + 6 * leftToStep] = l.V6;
            scalars[to + 7 * leftToStep] = l.V7;
            to = buffer * 4 + rightTo;
            scalars[to] = r.A;
            scalars[to + rightToStep] = r.B;
            scalars[to + 2 * rightToStep] = r.C;
            scalars[to + 3 * rightToStep] = r.D;
            Group.Barrier();
            // On its way while the sums are added.
            if (inner + depth < innerEnd)
            {
                left.Advance();
                right.Advance();
                Fetch(ref left, ref right, ref l, ref r);
            }
            // Views are made anew in each round: one that is carried along would lose its address space.
            for (var k = 0; k < depth; k += 4)
            {
                var rows = memory.SubView(buffer + blockRow * 2 + k * leftPitch);
                var columns = memory.SubView(buffer + depth * leftPitch + blockColumn + k * rightPitch);
                block = block.Plus(rows[0], rows[1], columns[0]);
                block = block.Plus(rows[leftPitch], rows[leftPitch + 1], columns[rightPitch]);
                block = block.Plus(rows[2 * leftPitch], rows[2 * leftPitch + 1], columns[2 * rightPitch]);
                block = block.Plus(rows[3 * leftPitch], rows[3 * leftPitch + 1], columns[3 * rightPitch]);
            }
            // Who is here has seen everybody done with the other buffer.
            buffer = bufferSize - buffer;
        }
        Group.Barrier();
        Stage(block, memory, blockRow * 8 * (tileColumns / 4) + blockColumn, tileColumns / 4);
        Group.Barrier();
        for (var i = Group.IdxX; i < tileRows * tileColumns; i += Group.DimX)
        {
            var (atRow, atColumn) = (row + i / tileColumns, column + (i & (tileColumns - 1)));
            if (atRow >= a.M || atColumn >= a.N) continue;
            if (a.Parts == 1) a.End.Write(fromC, atRow, atColumn, scalars[i]);
            else a.Partial[((long)rest * a.M + atRow) * a.N + atColumn] = scalars[i];
        }
    }

    private static void Fetch(ref TLeft left, ref TRight right, ref LeftFetch l, ref Four<float> r)
    {
        if (left.IsInside)
        {
            l.V0 = left.NextInside();
            l.V1 = left.NextInside();
            l.V2 = left.NextInside();
            l.V3 = left.NextInside();
            l.V4 = left.NextInside();
            l.V5 = left.NextInside();
            l.V6 = left.NextInside();
            l.V7 = left.NextInside();
        }
        else
        {
            l.V0 = left.Next();
            l.V1 = left.Next();
            l.V2 = left.Next();
            l.V3 = left.Next();
            l.V4 = left.Next();
            l.V5 = left.Next();
            l.V6 = left.Next();
            l.V7 = left.Next();
        }
        if (right.IsInside)
        {
            r.A = right.NextInside();
            r.B = right.NextInside();
            r.C = right.NextInside();
            r.D = right.NextInside();
        }
        else
        {
            r.A = right.Next();
            r.B = right.Next();
            r.C = right.Next();
            r.D = right.Next();
        }
    }

    /// <summary>The sums to shared memory, so that neighbouring threads finish neighbouring elements.</summary>
    private static void Stage(in ProductBlock block, ArrayView<Four<float>> memory, int at, int pitch)
    {
        memory[at] = block.R0;
        memory[at + pitch] = block.R1;
        memory[at + 2 * pitch] = block.R2;
        memory[at + 3 * pitch] = block.R3;
        memory[at + 4 * pitch] = block.R4;
        memory[at + 5 * pitch] = block.R5;
        memory[at + 6 * pitch] = block.R6;
        memory[at + 7 * pitch] = block.R7;
    }
}
