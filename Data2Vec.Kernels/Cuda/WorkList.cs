using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// Work for a device in its order: launches with the bytes of their arguments, clears, and uploads with what they
/// carry. Two lists are the same work when everything is equal but what the uploads carry. Reused without garbage.
/// </summary>
internal sealed unsafe class WorkList
{
    private const int Alignment = 16;

    private readonly List<Item> items = [];
    private byte[] arguments = new byte[1 << 12];
    private byte[] payload = new byte[1 << 12];
    private int argumentBytes;

    private enum Kind
    {
        Launch,
        Upload,
        Clear,
    }

    /// <summary>What all uploads carry, one after another.</summary>
    public ReadOnlySpan<byte> Payload => payload.AsSpan(0, PayloadBytes);

    /// <summary>Their bytes, padding included.</summary>
    public int PayloadBytes { get; private set; }

    private ReadOnlySpan<byte> Items => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(items));

    private ReadOnlySpan<byte> Arguments => arguments.AsSpan(0, argumentBytes);

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        items.Clear();
        argumentBytes = PayloadBytes = 0;
    }

    /// <summary>Notes a kernel with one parameter.</summary>
    public void Launch(nint function, Dim3 grid, Dim3 block, int sharedBytes, ReadOnlySpan<byte> parameter)
    {
        var place = Append(ref arguments, ref argumentBytes, parameter);
        items.Add(new Item(Kind.Launch, place, sharedBytes, 0, parameter.Length, grid, block, (ulong)function));
    }

    /// <summary>Notes an upload.</summary>
    public void Upload(ReadOnlySpan<byte> source, ulong target)
    {
        var used = PayloadBytes;
        var place = Append(ref payload, ref used, source);
        PayloadBytes = used;
        items.Add(new Item(Kind.Upload, place, 0, 0, source.Length, default, default, target));
    }

    /// <summary>Notes the writing of zeros.</summary>
    public void Clear(ulong target, long bytes) =>
        items.Add(new Item(Kind.Clear, 0, 0, 0, bytes, default, default, target));

    /// <summary>True for the same work.</summary>
    public bool IsSame(WorkList other) => Items.SequenceEqual(other.Items) && Arguments.SequenceEqual(other.Arguments);

    /// <summary>Equal for the same work; of this process only.</summary>
    public int Digest()
    {
        var hash = new HashCode();
        hash.AddBytes(Items);
        hash.AddBytes(Arguments);
        return hash.ToHashCode();
    }

    /// <summary>The same work in a list of its own, without what uploads carry.</summary>
    public WorkList Copy()
    {
        var copy = new WorkList { arguments = Arguments.ToArray(), argumentBytes = argumentBytes, payload = [] };
        copy.items.AddRange(items);
        return copy;
    }

    /// <summary>Sends everything, uploads through pinned memory.</summary>
    public void Send(ICudaDriver driver, CudaStaging staging)
    {
        foreach (var item in items)
        {
            if (item.Kind == Kind.Upload) staging.Upload(payload.AsSpan(item.Place, (int)item.Bytes), item.Target);
            else Send(driver, item);
        }
    }

    /// <summary>Sends everything, uploads as copies from where <see cref="Payload"/> lies on the device.</summary>
    public void Send(ICudaDriver driver, ulong uploaded)
    {
        foreach (var item in items)
        {
            if (item.Kind != Kind.Upload) Send(driver, item);
            else if (item.Bytes > 0) driver.CopyOnDevice(item.Target, uploaded + (ulong)item.Place, item.Bytes);
        }
    }

    private static int Append(ref byte[] memory, ref int used, ReadOnlySpan<byte> bytes)
    {
        var place = used;
        var next = checked(place + (bytes.Length + Alignment - 1) / Alignment * Alignment);
        if (next > memory.Length) Array.Resize(ref memory, Math.Max(next, memory.Length * 2));
        bytes.CopyTo(memory.AsSpan(place));
        memory.AsSpan(place + bytes.Length, next - place - bytes.Length).Clear();
        used = next;
        return place;
    }

    private void Send(ICudaDriver driver, in Item item)
    {
        if (item.Kind == Kind.Clear)
        {
            driver.Fill(item.Target, 0, item.Bytes);
            return;
        }
        fixed (byte* parameter = arguments)
        {
            driver.Launch(
                (nint)item.Target, item.Grid, item.Block, item.SharedBytes, [(nint)(parameter + item.Place)]);
        }
    }

    /// <summary>One piece of work; no gaps between the fields, for lists are compared by their bytes.</summary>
    /// <param name="Kind">What it is.</param>
    /// <param name="Place">Where its bytes lie among arguments or payload.</param>
    /// <param name="SharedBytes">Dynamic shared memory of a launch.</param>
    /// <param name="Reserved">Keeps what follows at a multiple of 8.</param>
    /// <param name="Bytes">How many are written.</param>
    /// <param name="Grid">Of a launch.</param>
    /// <param name="Block">Of a launch.</param>
    /// <param name="Target">Function of a launch; where others write.</param>
    private readonly record struct Item(
        Kind Kind, int Place, int SharedBytes, int Reserved, long Bytes, Dim3 Grid, Dim3 Block, ulong Target);
}
