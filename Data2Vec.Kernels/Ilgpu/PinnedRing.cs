using ILGPU;
using ILGPU.Runtime;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Page-locked host memory through which uploads go: the caller's bytes are copied in, the device fetches them when their turn
/// comes. Slots are used in turn; one is waited for only when the device is a whole ring behind.
/// </summary>
internal sealed class PinnedRing : IDisposable
{
    private const int Slots = 16;
    private const int SlotBytes = 1 << 20;

    private readonly AcceleratorStream stream;
    private readonly PageLockedArray1D<byte>[] memory = new PageLockedArray1D<byte>[Slots];
    private readonly ProfilingMarker?[] marks = new ProfilingMarker?[Slots];
    private int next;

    public PinnedRing(Accelerator accelerator, AcceleratorStream stream)
    {
        this.stream = stream;
        for (var i = 0; i < Slots; i++) memory[i] = accelerator.AllocatePageLocked1D<byte>(SlotBytes);
    }

    /// <summary>A slot for at most so many bytes.</summary>
    public Part Take(int bytes)
    {
        var slot = next;
        next = (next + 1) % Slots;
        marks[slot]?.Synchronize();
        return new Part(this, slot, Math.Min(bytes, SlotBytes));
    }

    public void Dispose()
    {
        foreach (var mark in marks) mark?.Dispose();
        foreach (var slot in memory) slot.Dispose();
    }

    /// <summary>A piece of the ring on its way to the device.</summary>
    public readonly ref struct Part(PinnedRing ring, int slot, int length)
    {
        public int Length => length;

        public Span<byte> Memory => ring.memory[slot].Span[..length];

        public void CopyTo(ArrayView<byte> target)
        {
            ring.memory[slot].ArrayView.SubView(0, length).CopyTo(ring.stream, target);
            ring.marks[slot]?.Dispose();
            ring.marks[slot] = ring.stream.AddProfilingMarker();
        }
    }
}
