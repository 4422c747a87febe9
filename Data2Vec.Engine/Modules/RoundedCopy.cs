using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// A flat buffer in bfloat16, for passes in that type: made when it is first read, and rounded again when something
/// else than an update has written the full one since. An update that is given a copy that is right leaves it right.
/// </summary>
internal sealed class RoundedCopy : IDisposable
{
    private TensorRef copy;
    /// <summary>Version of the full buffer that the copy was rounded from.</summary>
    private int version;

    /// <summary>The copy as it is right now.</summary>
    public TensorRef Of(TensorRef full)
    {
        var storage = full.Storage!;
        if (IsRight(storage)) return copy;
        if (copy.IsNone)
        {
            var shape = new Shape(checked((int)storage.Count));
            copy = full.Device.AllocateLasting(shape, DType.BFloat16, "rounded parameters");
        }
        var args = new CastArgs { X = full.View, Y = copy.View, Count = storage.Count };
        args.Check();
        full.Device.Backend.Cast(args);
        Take(storage, storage.LastWriter ?? "Cast");
        return copy;
    }

    /// <summary>
    /// The operand for an update; absent when the copy is not right: an update writes only what it moves, and would
    /// leave the rest wrong.
    /// </summary>
    public BufferView Kept(Storage full) => IsRight(full) ? copy.View : default;

    /// <summary>An update that was given <see cref="Kept"/> has written the full buffer.</summary>
    public void Written(Storage full, string op)
    {
        var kept = IsRight(full);
        full.Written(op);
        if (kept) Take(full, op);
    }

    public void Dispose()
    {
        copy.Release();
        copy = default;
    }

    private bool IsRight(Storage full) => !copy.IsNone && version == full.Version;

    /// <summary>What a tape saved of the copy is overwritten.</summary>
    private void Take(Storage full, string op)
    {
        copy.Storage!.Written(op);
        version = full.Version;
    }
}
