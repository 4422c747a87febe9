using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Four float32 numbers in registers: what a thread makes of a <see cref="Four{T}"/>.</summary>
internal struct Quad(float a, float b, float c, float d)
{
    public float A = a, B = b, C = c, D = d;

    public readonly float Sum => A + B + (C + D);

    public readonly float SumOfSquares => A * A + B * B + (C * C + D * D);

    /// <summary>Elements 4 * <paramref name="at"/> and on; the view must begin at a multiple of four elements.</summary>
    public static Quad Load<T>(ArrayView<T> view, long at)
        where T : unmanaged, IElement<T>
    {
        var four = view.Cast<Four<T>>()[at];
        return new Quad(four.A.Widen(), four.B.Widen(), four.C.Widen(), four.D.Widen());
    }

    /// <summary>Writes them where <see cref="Load"/> would read them.</summary>
    public readonly void Store<T>(ArrayView<T> view, long at)
        where T : unmanaged, IElement<T>
    {
        var one = default(T);
        view.Cast<Four<T>>()[at] = new Four<T> { A = one.Narrow(A), B = one.Narrow(B), C = one.Narrow(C), D = one.Narrow(D) };
    }

    /// <summary>
    /// Takes the first number off and puts a new one behind the last: after four times each has been replaced by what was
    /// computed of it. A loop over numbered fields would need an array, which lies in slow memory; and one piece of code for
    /// all four gives the same bits at every place.
    /// </summary>
    public void Push(float next)
    {
        A = B;
        B = C;
        C = D;
        D = next;
    }

    /// <summary>As it would be read again after it was stored.</summary>
    public readonly Quad Rounded<T>()
        where T : unmanaged, IElement<T>
    {
        var one = default(T);
        return new Quad(one.Narrow(A).Widen(), one.Narrow(B).Widen(), one.Narrow(C).Widen(), one.Narrow(D).Widen());
    }

    public static Quad operator +(Quad x, Quad y) => new(x.A + y.A, x.B + y.B, x.C + y.C, x.D + y.D);

    public static Quad operator -(Quad x, Quad y) => new(x.A - y.A, x.B - y.B, x.C - y.C, x.D - y.D);

    public static Quad operator *(Quad x, Quad y) => new(x.A * y.A, x.B * y.B, x.C * y.C, x.D * y.D);

    public static Quad operator +(Quad x, float y) => new(x.A + y, x.B + y, x.C + y, x.D + y);

    public static Quad operator -(Quad x, float y) => new(x.A - y, x.B - y, x.C - y, x.D - y);

    public static Quad operator *(Quad x, float y) => new(x.A * y, x.B * y, x.C * y, x.D * y);
}
