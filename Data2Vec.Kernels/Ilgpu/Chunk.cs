using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Four neighbouring elements, which one thread of an element-wise kernel works on, wherever they lie: in one transaction if
/// possible, and at the end of an operand only those that exist.
/// </summary>
internal static class Chunk
{
    /// <summary>One element stands for all four (a broadcast operand).</summary>
    public const int Repeat = 0;

    /// <summary>Neighbours, accessed one by one.</summary>
    public const int Single = 1;

    /// <summary>Neighbours at a place that allows one transaction for all four.</summary>
    public const int Wide = 4;

    /// <summary>How contiguous operands can be accessed together: wide, unless a view begins within four elements.</summary>
    public static int Mode(BufferView a, BufferView b = default, BufferView c = default) =>
        (a.Offset | b.Offset | c.Offset) % 4 == 0 ? Wide : Single;

    /// <summary>How many chunks cover so many elements.</summary>
    public static long Count(long elements) => (elements + 3) / 4;

    /// <summary>Elements from <paramref name="at"/>, of which <paramref name="left"/> exist.</summary>
    public static Quad Load<T>(ArrayView<T> view, long at, long left, int mode)
        where T : unmanaged, IElement<T>
    {
        if (mode == Wide && left >= 4) return Quad.Load(view, at >> 2);
        var first = view[at].Widen();
        if (mode == Repeat) return new Quad(first, first, first, first);
        return new Quad(
            first, left > 1 ? view[at + 1].Widen() : 0, left > 2 ? view[at + 2].Widen() : 0, left > 3 ? view[at + 3].Widen() : 0);
    }

    /// <summary>Writes those of the four that exist.</summary>
    public static void Store<T>(Quad values, ArrayView<T> view, long at, long left, int mode)
        where T : unmanaged, IElement<T>
    {
        if (mode == Wide && left >= 4)
        {
            values.Store(view, at >> 2);
            return;
        }
        view[at] = default(T).Narrow(values.A);
        if (left > 1) view[at + 1] = default(T).Narrow(values.B);
        if (left > 2) view[at + 2] = default(T).Narrow(values.C);
        if (left > 3) view[at + 3] = default(T).Narrow(values.D);
    }
}
