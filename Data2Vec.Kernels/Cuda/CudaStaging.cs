namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// Pinned memory of the host between callers and the device. Uploads go through slots in turn; one is waited for only when
/// the device is a whole ring behind.
/// </summary>
internal sealed unsafe class CudaStaging : IDisposable
{
    private const int Slots = 16;
    private const int SlotBytes = 1 << 20;

    private readonly ICudaDriver driver;
    private readonly nint memory;
    private readonly nint[] marks = new nint[Slots];
    private readonly bool[] used = new bool[Slots];
    private int next;

    public CudaStaging(ICudaDriver driver)
    {
        this.driver = driver;
        memory = driver.AllocateHost((long)Slots * SlotBytes);
        for (var i = 0; i < Slots; i++) marks[i] = driver.CreateEvent();
    }

    /// <summary>Queues copies; the source may be reused on return.</summary>
    public void Upload(ReadOnlySpan<byte> source, ulong target)
    {
        while (!source.IsEmpty)
        {
            var length = Math.Min(source.Length, SlotBytes);
            if (used[next]) driver.WaitFor(marks[next]);
            var slot = memory + (nint)next * SlotBytes;
            source[..length].CopyTo(new Span<byte>((void*)slot, length));
            driver.CopyToDevice(target, slot, length);
            driver.RecordEvent(marks[next]);
            used[next] = true;
            next = (next + 1) % Slots;
            source = source[length..];
            target += (ulong)length;
        }
    }

    /// <summary>Copies after everything queued; waits.</summary>
    public void Download(ulong source, Span<byte> target)
    {
        // Waiting once makes the whole ring free.
        driver.Synchronize();
        while (!target.IsEmpty)
        {
            var length = Math.Min(target.Length, Slots * SlotBytes);
            driver.CopyToHost(memory, source, length);
            driver.Synchronize();
            new ReadOnlySpan<byte>((void*)memory, length).CopyTo(target);
            target = target[length..];
            source += (ulong)length;
        }
    }

    public void Dispose()
    {
        foreach (var mark in marks) driver.DestroyEvent(mark);
        driver.FreeHost(memory);
    }
}
