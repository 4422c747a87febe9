using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels.Emulator;

/// <summary>Numbers for objects, as a driver gives them out.</summary>
internal sealed class HandleTable<T>
    where T : class
{
    private readonly Dictionary<nint, T> items = [];
    private nint next = 1;

    public nint Add(T item)
    {
        items.Add(next, item);
        return next++;
    }

    /// <summary>The object of a number.</summary>
    /// <exception cref="CudaException">There is none, or of another type.</exception>
    public TItem Get<TItem>(nint handle, string what)
        where TItem : class, T =>
        items.GetValueOrDefault(handle) as TItem
            ?? throw new CudaException($"The emulator has no {what} of this handle ({handle}).");

    public void Remove(nint handle, string what)
    {
        if (!items.Remove(handle)) throw new CudaException($"The emulator has no {what} of this handle ({handle}).");
    }
}
