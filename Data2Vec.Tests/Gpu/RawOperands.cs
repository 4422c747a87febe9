using System.Runtime.InteropServices;
using Data2Vec.Kernels;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// Operands of a kernel on any backend: the same numbers for every backend and type, beginning at any element of their
/// buffers, and what came out of them by name.
/// </summary>
/// <param name="backend">Where they lie.</param>
/// <param name="type">Type of the floating-point operands.</param>
/// <param name="offset">Elements before the first.</param>
public sealed class RawOperands(IBackend backend, DType type, int offset = 0)
{
    private readonly Random random = new(3);
    private readonly List<(string Name, BufferView View, int Count)> outputs = [];

    /// <summary>Type of the floating-point operands.</summary>
    public DType Type => type;

    /// <summary>Type of statistics and of what is summed over rows.</summary>
    public DType Statistics => type == DType.Float64 ? type : DType.Float32;

    /// <summary>Numbers of [-2, 2) that bfloat16 holds, so that every type gets the same.</summary>
    public BufferView Random(int count, DType? of = null)
    {
        var view = Empty(count, of ?? type);
        Write(view, [.. Enumerable.Range(0, count).Select(_ => (double)(float)(BFloat16)(float)(random.NextDouble() * 4 - 2))]);
        return view;
    }

    /// <summary>
    /// The same numbers of lines of so many elements however they lie: element k of line i at i * inner + k, or at k * lines + i
    /// when the matrix is turned over.
    /// </summary>
    public BufferView Random(int count, int inner, bool isTurned)
    {
        var values = new double[count];
        for (var i = 0; i < count; i++)
        {
            values[isTurned ? i % inner * (count / inner) + i / inner : i] =
                (double)(float)(BFloat16)(float)(random.NextDouble() * 4 - 2);
        }
        return Given(values);
    }

    /// <summary>Zeros, where a call does not write every element.</summary>
    public void Zero(BufferView view, int count) => Write(view, new double[count]);

    /// <summary>Given numbers.</summary>
    public BufferView Given(double[] values, DType? of = null)
    {
        var view = Empty(values.Length, of ?? type);
        Write(view, values);
        return view;
    }

    /// <summary>Given indices or lengths.</summary>
    public BufferView Integers(int[] values, bool wide = false)
    {
        var view = new BufferView(backend.Allocate(Math.Max(1, values.Length) * 8), 0, wide ? DType.Int64 : DType.Int32);
        if (wide) backend.Upload(MemoryMarshal.AsBytes<long>(Array.ConvertAll(values, v => (long)v)), view);
        else backend.Upload(MemoryMarshal.AsBytes<int>(values), view);
        return view;
    }

    /// <summary>Bytes of a struct or a mask.</summary>
    public BufferView Bytes<T>(T[] values, DType of)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes<T>(values);
        var view = new BufferView(backend.Allocate(bytes.Length), 0, of);
        backend.Upload(bytes, view);
        return view;
    }

    /// <summary>Memory that nothing was written to.</summary>
    public BufferView Empty(int count, DType? of = null)
    {
        var t = of ?? type;
        return new BufferView(backend.Allocate(Math.Max(1, count + offset) * (long)t.Size()), offset, t);
    }

    /// <summary>Memory for a result.</summary>
    public BufferView Output(string name, int count, DType? of = null) => Named(name, Empty(count, of), count);

    /// <summary>An operand that is changed in place, as a result.</summary>
    public BufferView Named(string name, BufferView view, int count)
    {
        outputs.Add((name, view, count));
        return view;
    }

    /// <summary>Results by name; all of them without a list.</summary>
    public Dictionary<string, double[]> Read(string[]? names = null) => outputs
        .Where(o => names is null || names.Contains(o.Name)).ToDictionary(o => o.Name, o => Read(o.View, o.Count));

    /// <summary>Overwrites what a call has written.</summary>
    public void Write(string[] names, IReadOnlyDictionary<string, double[]> values)
    {
        foreach (var (name, view, _) in outputs)
            if (names.Contains(name)) Write(view, values[name]);
    }

    private double[] Read(BufferView view, int count)
    {
        var bytes = new byte[count * view.DType.Size()];
        backend.Download(view, bytes);
        if (view.DType == DType.Float64) return MemoryMarshal.Cast<byte, double>(bytes).ToArray();
        if (view.DType == DType.Float32) return Array.ConvertAll(MemoryMarshal.Cast<byte, float>(bytes).ToArray(), x => (double)x);
        return Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(bytes).ToArray(), x => (double)BFloat16.FromBits(x).ToSingle());
    }

    private void Write(BufferView view, double[] values)
    {
        if (view.DType == DType.Float64) backend.Upload(MemoryMarshal.AsBytes<double>(values), view);
        else if (view.DType == DType.Float32)
            backend.Upload(MemoryMarshal.AsBytes<float>(Array.ConvertAll(values, x => (float)x)), view);
        else backend.Upload(MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(values, x => BFloat16.FromSingle((float)x).Bits)), view);
    }
}
