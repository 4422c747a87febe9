using System.Runtime.CompilerServices;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// One backend with its memory: what tensors live on. A device is used by one thread at a time; its backend spreads the
/// work of each operation over its own threads.
/// </summary>
public sealed partial class Device : IDisposable
{
    private Scope? innermost;

    /// <summary>A device over a backend, which it owns.</summary>
    public Device(string name, IBackend backend)
    {
        Name = name;
        Backend = backend;
        Opened?.Invoke(this);
    }

    /// <summary>Told of every device that is made: the tests watch what each has given back.</summary>
    internal static Action<Device>? Opened { get; set; }

    /// <summary>The name it was asked for by: "cpu", "reference", ...</summary>
    public string Name { get; }

    /// <summary>The kernels.</summary>
    public IBackend Backend { get; }

    /// <summary>The type that models are computed in by default: float32.</summary>
    public DType DefaultFloat => DType.Float32;

    /// <summary>Buffers that have not been given back; 0 after every scope, tape and kept tensor is gone.</summary>
    public int OutstandingBuffers => Backend.Memory.OutstandingBuffers;

    /// <summary>
    /// Opens a scope: tensors made until it is disposed belong to it and are given back with it, except those that
    /// <see cref="Engine.Scope.Keep"/> hands outward. Scopes nest.
    /// </summary>
    public Scope Scope() => innermost = new Scope(this, innermost);

    /// <summary>Disposes the backend. Every tensor must be gone by then.</summary>
    public void Dispose()
    {
        if (IsDisposed) return;
        IsDisposed = true;
        Backend.Dispose();
    }

    /// <summary>"cpu (AVX-512, 2 threads)".</summary>
    public override string ToString() => Backend.Description;

    internal bool IsDisposed { get; private set; }

    /// <summary>All memory that somebody holds.</summary>
    internal LiveStorages Live { get; } = new();

    /// <summary>Collects what is allocated while a derivative runs, for the case that it fails; null at other times.</summary>
    internal List<Storage>? Unfinished { get; set; }

    internal Scope CurrentScope => innermost ?? throw new InvalidOperationException(
        "No scope is open on this device: wrap the work in `using var scope = device.Scope();`.");

    internal void Closed(Scope scope)
    {
        if (innermost != scope)
            throw new InvalidOperationException("Scopes must be disposed in the reverse order of their opening.");
        innermost = scope.Outer;
    }

    /// <summary>Fresh, uninitialised memory for a tensor, held once by the caller.</summary>
    /// <param name="shape">The extents.</param>
    /// <param name="type">The element type.</param>
    /// <param name="owner">Who asks, for the message when there is no more: the operation's file, unless said otherwise.</param>
    /// <exception cref="InvalidOperationException">No scope is open, so nobody would take the tensor.</exception>
    internal TensorRef Allocate(Shape shape, DType type, [CallerFilePath] string owner = "")
    {
        _ = CurrentScope;
        var place = AllocateLasting(shape, type, owner);
        Unfinished?.Add(place.Storage!);
        return place;
    }

    /// <summary>As <see cref="Allocate"/>, for an owner that outlives the operation, whatever becomes of it.</summary>
    internal TensorRef AllocateLasting(Shape shape, DType type, [CallerFilePath] string owner = "")
    {
        if (!Backend.Supports(type))
            throw new NotSupportedException($"{Backend.Description} has no {type.Name()} tensors.");
        return new TensorRef(new Storage(this, shape, type, owner), 0, shape, type, 0);
    }
}

/// <summary>The lifetime of temporaries: see <see cref="Device.Scope"/>.</summary>
public sealed class Scope : IDisposable
{
    private readonly List<Tensor> tensors = [];
    private bool disposed;

    internal Scope(Device device, Scope? outer)
    {
        Device = device;
        Outer = outer;
    }

    /// <summary>The device whose tensors it collects.</summary>
    public Device Device { get; }

    internal Scope? Outer { get; }

    /// <summary>Lets a tensor survive this scope: it moves to the enclosing one, or to the caller when there is none.</summary>
    /// <returns>The same tensor. Without an enclosing scope the caller disposes it.</returns>
    public Tensor Keep(Tensor tensor)
    {
        if (!tensors.Remove(tensor))
            throw new InvalidOperationException($"{tensor} does not belong to this scope, so it cannot be kept by it.");
        if (Outer is not null) Outer.tensors.Add(tensor);
        return tensor;
    }

    /// <summary>Gives every remaining tensor of the scope back.</summary>
    public void Dispose()
    {
        if (disposed) return;
        Device.Closed(this);
        disposed = true;
        Clear();
    }

    /// <summary>Gives its tensors back and stays open, for a walk of many short lives.</summary>
    internal void Clear()
    {
        foreach (var tensor in tensors) tensor.Dispose();
        tensors.Clear();
    }

    internal void Add(Tensor tensor) => tensors.Add(tensor);
}
