using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels.Emulator;

/// <summary>What the emulator finds wrong with a kernel.</summary>
internal enum FindingKind
{
    /// <summary>An address that belongs to no allocation or variable, or to one that was freed.</summary>
    OutOfBounds,

    /// <summary>An address that is no multiple of the bytes moved.</summary>
    Misaligned,

    /// <summary>A read of bytes that nobody wrote.</summary>
    Uninitialised,

    /// <summary>
    /// Two threads of a block at the same shared bytes, one of them writing, with no barrier between.
    /// </summary>
    SharedRace,

    /// <summary>A barrier, or an instruction for a whole warp, that not all threads reach.</summary>
    Barrier,

    /// <summary>Threads wait for each other for ever.</summary>
    Deadlock,

    /// <summary>More instructions than a launch is allowed.</summary>
    Endless,

    /// <summary>trap, a failed assertion, a call.</summary>
    Trap,
}

/// <summary>One finding, and where it was made.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Detail">A clause: what happened.</param>
/// <param name="Kernel">Entry of the module.</param>
/// <param name="Location">Place in the sources, if the PTX names it.</param>
/// <param name="PtxLine">Line of the PTX, from 1.</param>
/// <param name="Opcode">The instruction.</param>
/// <param name="Block">Position of the block.</param>
/// <param name="Thread">Position of the thread in it.</param>
internal sealed record Finding(
    FindingKind Kind, string Detail, string Kernel, PtxLocation? Location, int PtxLine, string Opcode, Dim3 Block,
        Dim3 Thread)
{
    public override string ToString() =>
        $"{Kernel}{(Location is null ? "" : $" ({Location})")}, {Opcode} at PTX line {PtxLine}, block {Words(Block)}, "
        + $"thread {Words(Thread)}: {Detail}.";

    internal static string Words(Dim3 at) => $"({at.X}, {at.Y}, {at.Z})";
}

/// <summary>A kernel does what a correct one does not.</summary>
internal sealed class EmulatorException(Finding finding) : CudaException(finding.ToString())
{
    public Finding Finding => finding;
}

/// <summary>Raised inside an instruction, for a lane; the warp adds the place.</summary>
internal sealed class LaneFault(FindingKind kind, int lane, string detail) : Exception(detail)
{
    public FindingKind Kind => kind;

    public int Lane => lane;
}
