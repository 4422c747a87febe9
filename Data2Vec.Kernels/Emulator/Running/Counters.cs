namespace Data2Vec.Kernels.Emulator;

/// <summary>What a launch did: sums over its blocks.</summary>
internal sealed class Counters
{
    /// <summary>Instructions of warps by class.</summary>
    public long[] Warp { get; } = new long[Enum.GetValues<InstructionClass>().Length];

    /// <summary>Instructions of lanes by class: those whose guard let them through.</summary>
    public long[] Lane { get; } = new long[Enum.GetValues<InstructionClass>().Length];

    public long WarpInstructions => Warp.Sum();

    public long LaneInstructions => Lane.Sum();

    /// <summary>Bytes that lanes read from and wrote to global memory.</summary>
    public long GlobalRead, GlobalWritten;

    /// <summary>Sectors of 32 bytes that these accesses touch, instruction by instruction.</summary>
    public long Sectors;

    /// <summary>Sectors that would do if the same distinct bytes lay side by side.</summary>
    public long SectorsNeeded;

    public long SharedRead, SharedWritten;

    /// <summary>Times that the banks of shared memory were asked, and how often that was for a conflict.</summary>
    public long Wavefronts, BankConflicts;

    /// <summary>Branches at which the lanes of a warp parted.</summary>
    public long Divergences;

    public long Barriers;

    public long Blocks;

    public void Add(Counters other)
    {
        for (var i = 0; i < Warp.Length; i++)
        {
            Warp[i] += other.Warp[i];
            Lane[i] += other.Lane[i];
        }
        GlobalRead += other.GlobalRead;
        GlobalWritten += other.GlobalWritten;
        Sectors += other.Sectors;
        SectorsNeeded += other.SectorsNeeded;
        SharedRead += other.SharedRead;
        SharedWritten += other.SharedWritten;
        Wavefronts += other.Wavefronts;
        BankConflicts += other.BankConflicts;
        Divergences += other.Divergences;
        Barriers += other.Barriers;
        Blocks += other.Blocks;
    }
}
