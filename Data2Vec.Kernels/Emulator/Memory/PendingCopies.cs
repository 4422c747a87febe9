using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>The cp.async of a warp that have not landed. Groups are counted by lane.</summary>
internal sealed unsafe class PendingCopies
{
    private readonly int[] committed = new int[Lanes.Count];
    private Copy[] copies = new Copy[256];
    private int count;

    private struct Copy
    {
        public int Lane, Group, Target, Bytes;
        public fixed byte Data[16];
    }

    /// <summary>For the next block.</summary>
    public void Clear()
    {
        count = 0;
        Array.Clear(committed);
    }

    /// <summary>Takes bytes for a later time; those that are not taken are zeros.</summary>
    public void Add(int lane, int target, int bytes, byte* source, int taken)
    {
        if (count == copies.Length) Array.Resize(ref copies, 2 * count);
        ref var copy = ref copies[count++];
        copy = new Copy { Lane = lane, Group = committed[lane], Target = target, Bytes = bytes };
        fixed (byte* data = copy.Data) Unsafe.CopyBlock(data, source, (uint)taken);
    }

    /// <summary>Ends the group of each lane.</summary>
    public void Commit(uint mask)
    {
        for (var k = 0; k < Lanes.Count; k++)
            if ((mask >> k & 1) != 0) committed[k]++;
    }

    /// <summary>Lets all land that do not belong to the last groups of their lane.</summary>
    /// <param name="warp">The warp.</param>
    /// <param name="mask">Its lanes that wait.</param>
    /// <param name="last">How many groups may go on.</param>
    public void Land(Warp warp, uint mask, int last)
    {
        var shared = warp.Block.Shared;
        var kept = 0;
        for (var n = 0; n < count; n++)
        {
            ref var copy = ref copies[n];
            if ((mask >> copy.Lane & 1) == 0 || copy.Group >= committed[copy.Lane] - last)
            {
                if (kept != n) copies[kept] = copy;
                kept++;
                continue;
            }
            fixed (byte* data = copy.Data) Unsafe.CopyBlock(shared.Data + copy.Target, data, (uint)copy.Bytes);
            if (!warp.Block.Launch.Checks) continue;
            new Span<byte>(shared.State + copy.Target, copy.Bytes).Fill(ByteState.Written);
            shared.Races?.Overwrite(warp, copy.Lane, copy.Target, copy.Bytes);
        }
        count = kept;
    }
}
