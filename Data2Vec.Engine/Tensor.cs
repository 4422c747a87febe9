using System.Runtime.InteropServices;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// A handle on contiguous, row-major elements of one type on one device. Type and device are data: operations take them
/// from their operands. A tensor made by an operation belongs to the scope that was open; using it after that scope
/// throws, naming the operation.
/// </summary>
public sealed partial class Tensor : IDisposable
{
    private TensorRef place;
    private bool disposed;

    internal Tensor(TensorRef place, string madeBy, Node? node = null, bool scoped = true)
    {
        this.place = place;
        MadeBy = madeBy;
        Node = node;
        if (scoped) place.Device.CurrentScope.Add(this);
    }

    /// <summary>The extents.</summary>
    public Shape Shape => place.Shape;

    /// <summary>The element type.</summary>
    public DType DType => place.DType;

    /// <summary>Number of elements.</summary>
    public long Count => place.Shape.Count;

    /// <summary>The device it lives on.</summary>
    /// <exception cref="ObjectDisposedException">Its scope has ended: operations ask for the device before all else.</exception>
    public Device Device => disposed ? throw Gone() : place.Device;

    /// <summary>The operation that made it, for messages.</summary>
    public string MadeBy { get; }

    /// <summary>True when a tape records what is computed from it.</summary>
    public bool IsTracked => Node is not null;

    /// <summary>Where it came from on the tape; null when untracked.</summary>
    internal Node? Node { get; private set; }

    /// <summary>The place in memory, for kernels and nodes.</summary>
    internal TensorRef Ref
    {
        get
        {
            if (disposed) throw Gone();
            return place with { Version = place.Storage!.Version };
        }
    }

    /// <summary>The kernel operand.</summary>
    internal BufferView View
    {
        get
        {
            if (disposed) throw Gone();
            return place.View;
        }
    }

    /// <summary>Uninitialised elements.</summary>
    public static Tensor Empty(Device device, Shape shape, DType type) => Make(device, shape, type, "Empty");

    /// <summary>All elements the same value.</summary>
    public static Tensor Full(Device device, Shape shape, DType type, double value)
    {
        var t = Make(device, shape, type, "Full");
        device.Backend.Fill(new FillArgs { Y = t.View, Count = t.Count, Value = value });
        return t;
    }

    /// <summary>All elements 0.</summary>
    public static Tensor Zeros(Device device, Shape shape, DType type) => Full(device, shape, type, 0);

    /// <summary>
    /// A tensor with these values; T is float, double, int, long, bool, byte or BFloat16 bits as ushort.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The number of values does not fit the shape, or T has no element type.
    /// </exception>
    public static Tensor From<T>(Device device, ReadOnlySpan<T> values, Shape shape)
        where T : unmanaged
    {
        if (values.Length != shape.Count)
            throw new ArgumentException($"Tensor.From: shape {shape} needs {shape.Count} values; got {values.Length}.");
        var t = Make(device, shape, TypeOf<T>(), "From");
        device.Backend.Upload(MemoryMarshal.AsBytes(values), t.View);
        return t;
    }

    /// <summary>Double values rounded to a floating-point type.</summary>
    public static Tensor FromDoubles(Device device, ReadOnlySpan<double> values, Shape shape, DType type)
    {
        if (type == DType.Float64) return From(device, values, shape);
        var singles = new float[values.Length];
        for (var i = 0; i < singles.Length; i++) singles[i] = (float)values[i];
        var t = From<float>(device, singles, shape);
        return type == DType.Float32 ? t : Ops.Cast(t, type);
    }

    /// <summary>The values on the host; waits for the device.</summary>
    /// <exception cref="ArgumentException">T is not the element type.</exception>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        if (TypeOf<T>() != DType)
            throw new ArgumentException($"Tensor.ToArray: elements are {DType.Name()}, not {TypeOf<T>().Name()}.");
        var values = new T[Count];
        Device.Backend.Download(View, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Floating-point values on the host as doubles; waits for the device.</summary>
    public double[] ToDoubles() => DType switch
    {
        DType.Float64 => ToArray<double>(),
        DType.Float32 => Array.ConvertAll(ToArray<float>(), x => (double)x),
        DType.BFloat16 => Array.ConvertAll(
            ToArray<ushort>(), x => (double)BitConverter.UInt32BitsToSingle((uint)x << 16)),
        DType.Int32 => Array.ConvertAll(ToArray<int>(), x => (double)x),
        DType.Int64 => Array.ConvertAll(ToArray<long>(), x => (double)x),
        _ => Array.ConvertAll(ToArray<byte>(), x => (double)x),
    };

    /// <summary>The only element; waits for the device.</summary>
    public double Item() => Count == 1
        ? ToDoubles()[0]
        : throw new InvalidOperationException($"Tensor.Item: {this} has {Count} elements, not one.");

    /// <summary>
    /// The same elements under another shape of the same count, sharing memory; differentiable. One extent may be -1:
    /// it is worked out from the others.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The counts differ, or an open extent has no or more than one answer.
    /// </exception>
    public Tensor Reshape(params ReadOnlySpan<int> dimensions)
    {
        var open = dimensions.IndexOf(-1);
        if (open < 0) return Ops.Reshape(this, new Shape(dimensions));
        Refuse.Unless(!dimensions[(open + 1)..].Contains(-1), "Reshape: only one extent can be -1; got more.");
        Span<int> extents = stackalloc int[dimensions.Length];
        dimensions.CopyTo(extents);
        extents[open] = 1;
        var known = new Shape(extents).Count;
        Refuse.Unless(known > 0 && Count % known == 0,
            $"Reshape: the open extent for {Count} elements cannot be worked out beside {known} others.");
        return Ops.Reshape(this, new Shape(extents).With(open, checked((int)(Count / known))));
    }

    /// <summary>The same memory without its history: gradients stop here.</summary>
    public Tensor Detach() => new(Ref.Retain(), "Detach");

    /// <summary>Lets go of the memory. Tensors of a scope are disposed by it.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        place.Release();
    }

    /// <summary>"LayerNorm (8, 512, 768) float32".</summary>
    public override string ToString() => $"{MadeBy} {Shape} {DType.Name()}";

    /// <summary>An operation has written other values into this memory; derivatives that saved the old ones refuse.</summary>
    internal void Overwritten(string op, Node? node)
    {
        place.Storage!.Written(op);
        Node = node;
    }

    internal static DType TypeOf<T>()
    {
        if (typeof(T) == typeof(float)) return DType.Float32;
        if (typeof(T) == typeof(double)) return DType.Float64;
        if (typeof(T) == typeof(ushort)) return DType.BFloat16;
        if (typeof(T) == typeof(int)) return DType.Int32;
        if (typeof(T) == typeof(long)) return DType.Int64;
        if (typeof(T) == typeof(bool)) return DType.Bool;
        if (typeof(T) == typeof(byte)) return DType.Bool;
        throw new ArgumentException($"{typeof(T).Name} is not an element type of tensors.");
    }

    private static Tensor Make(Device device, Shape shape, DType type, string name) => new(device.Allocate(shape, type, name), name);

    private ObjectDisposedException Gone() => new(nameof(Tensor),
        $"The tensor {this} was used after its scope had ended; keep it with scope.Keep or use it earlier.");
}
