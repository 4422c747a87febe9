using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Four neighbouring elements as float32: what one thread of an element-wise kernel works on. The same code computes all
/// four in turn (see <see cref="Push"/>), so that the bits of an element do not depend on its place.
/// </summary>
internal struct Chunk
{
    /// <summary>One element stands for all four (a broadcast operand).</summary>
    public const int Repeat = 0;

    /// <summary>Neighbours, read one by one.</summary>
    public const int Single = 1;

    /// <summary>Neighbours at a place that allows one transaction for all four.</summary>
    public const int Wide = 4;

    public float A, B, C, D;

    /// <summary>How contiguous operands can be accessed together; views must not be offset within four elements.</summary>
    public static int Mode(BufferView a, BufferView b = default, BufferView c = default) =>
        (a.Offset | b.Offset | c.Offset) % 4 == 0 ? Wide : Single;

    /// <summary>How many chunks cover so many elements.</summary>
    public static long Count(long elements) => (elements + 3) / 4;

    /// <summary>Elements from <paramref name="at"/>, of which <paramref name="left"/> exist.</summary>
    public static Chunk Load<T>(ArrayView<T> view, long at, long left, int mode)
        where T : unmanaged, IElement<T>
    {
        var chunk = default(Chunk);
        if (mode == Wide && left >= 4)
        {
            var four = view.Cast<Four<T>>()[at >> 2];
            chunk.A = four.A.Widen();
            chunk.B = four.B.Widen();
            chunk.C = four.C.Widen();
            chunk.D = four.D.Widen();
            return chunk;
        }
        chunk.A = view[at].Widen();
        if (mode == Repeat)
        {
            chunk.B = chunk.C = chunk.D = chunk.A;
            return chunk;
        }
        if (left > 1) chunk.B = view[at + 1].Widen();
        if (left > 2) chunk.C = view[at + 2].Widen();
        if (left > 3) chunk.D = view[at + 3].Widen();
        return chunk;
    }

    /// <summary>Writes what exists of the four.</summary>
    public readonly void Store<T>(ArrayView<T> view, long at, long left, int mode)
        where T : unmanaged, IElement<T>
    {
        var narrow = default(T);
        if (mode == Wide && left >= 4)
        {
            view.Cast<Four<T>>()[at >> 2] = new Four<T>
            {
                A = narrow.Narrow(A), B = narrow.Narrow(B), C = narrow.Narrow(C), D = narrow.Narrow(D),
            };
            return;
        }
        view[at] = narrow.Narrow(A);
        if (left > 1) view[at + 1] = narrow.Narrow(B);
        if (left > 2) view[at + 2] = narrow.Narrow(C);
        if (left > 3) view[at + 3] = narrow.Narrow(D);
    }

    /// <summary>
    /// Takes the first element off and puts a new one behind the last: after four times each element has been replaced by
    /// what was computed of it. A loop over fields by number would need an array, which lies in slow memory.
    /// </summary>
    public void Push(float next)
    {
        A = B;
        B = C;
        C = D;
        D = next;
    }
}
