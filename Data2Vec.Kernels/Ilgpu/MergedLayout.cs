using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// What a <see cref="DeviceLayout"/> is made of, on the host: dimensions of one element are gone, and those that are dense
/// for every operand are merged. Dimension 0 is the innermost; operands that do not exist have zero strides.
/// </summary>
internal struct MergedLayout
{
    public int Rank;
    public Numbers Extents, X, Y, Z;

    public MergedLayout(Shape shape, in Strides x, in Strides y, in Strides z)
    {
        for (var d = shape.Rank - 1; d >= 0; d--)
        {
            if (shape[d] == 1) continue;
            var inner = Rank - 1;
            if (Rank > 0 && x[d] == X[inner] * Extents[inner] && y[d] == Y[inner] * Extents[inner]
                && z[d] == Z[inner] * Extents[inner])
            {
                Extents[inner] *= shape[d];
                continue;
            }
            (Extents[Rank], X[Rank], Y[Rank], Z[Rank]) = (shape[d], x[d], y[d], z[d]);
            Rank++;
        }
    }

    /// <summary>
    /// Where an operand is read first in memory, counted from the element that its view begins with: not above 0, and below
    /// it only when strides walk back. Kernels get a view from there, since a view has no negative indices.
    /// </summary>
    public readonly long Lowest(in Numbers strides)
    {
        long low = 0;
        for (var d = 0; d < Rank; d++)
            if (strides[d] < 0 && Extents[d] > 0) low += strides[d] * (Extents[d] - 1);
        return low;
    }

    /// <summary>
    /// How elements that follow each other in the shape can be read from an operand, four at a time: see
    /// <see cref="Chunk"/>; -1 when they are no neighbours in memory.
    /// </summary>
    /// <param name="strides">Those of the operand.</param>
    /// <param name="offset">Where its view begins in its buffer.</param>
    public readonly int ChunkMode(in Numbers strides, long offset)
    {
        if (Rank == 0) return Chunk.Repeat;
        // Four elements must not straddle two runs; where there is one run, it may end anywhere.
        if (Rank > 1 && Extents[0] % 4 != 0) return -1;
        if (strides[0] == 0) return Chunk.Repeat;
        if (strides[0] != 1) return -1;
        var misfit = offset;
        for (var d = 1; d < Rank; d++) misfit |= strides[d];
        return misfit % 4 == 0 ? Chunk.Wide : Chunk.Single;
    }

    /// <summary>
    /// Takes so many neighbours of x and y as one element each, where both are dense and everything divides; leaves the
    /// layout as it is and says false otherwise.
    /// </summary>
    public bool TryWiden(int factor, long offsetX, long offsetY)
    {
        if (Rank == 0 || X[0] != 1 || Y[0] != 1) return false;
        var misfit = offsetX | offsetY | Extents[0];
        for (var d = 1; d < Rank; d++) misfit |= X[d] | Y[d];
        if (misfit % factor != 0) return false;
        Extents[0] /= factor;
        for (var d = 1; d < Rank; d++)
        {
            X[d] /= factor;
            Y[d] /= factor;
        }
        return true;
    }

    /// <summary>Takes a dimension out.</summary>
    public void Remove(int dimension)
    {
        Rank--;
        for (var d = dimension; d < Rank; d++)
            (Extents[d], X[d], Y[d], Z[d]) = (Extents[d + 1], X[d + 1], Y[d + 1], Z[d + 1]);
        Extents[Rank] = X[Rank] = Y[Rank] = Z[Rank] = 0;
    }

    /// <summary>A number for each dimension.</summary>
    [InlineArray(Shape.MaxRank)]
    public struct Numbers
    {
        private long first;
    }
}
