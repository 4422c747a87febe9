namespace Data2Vec.Kernels.Emulator;

/// <summary>How an instruction moves the program counter.</summary>
internal enum Flow : byte
{
    /// <summary>On to the next.</summary>
    Next,

    /// <summary>To <see cref="Instruction.Target"/> in the lanes of the guard.</summary>
    Branch,

    /// <summary>To one of <see cref="Instruction.Targets"/>, by a register.</summary>
    BranchIndexed,

    /// <summary>The lanes of the guard are done.</summary>
    Exit,

    /// <summary>Waits until all lanes of a mask are there, runs for all at once, and goes on.</summary>
    WarpSync,

    /// <summary>Needs all lanes of the warp (.aligned), and goes on.</summary>
    WholeWarp,

    /// <summary>Waits for other warps.</summary>
    Barrier,
}

/// <summary>What an instruction is counted as.</summary>
internal enum InstructionClass : byte
{
    Move,
    Integer,
    Float,
    Double,
    Special,
    Convert,
    Compare,
    Matrix,
    Global,
    Shared,
    Local,
    Param,
    Atomic,
    Exchange,
    Barrier,
    Control,
}

/// <summary>
/// One decoded instruction. Operands are byte offsets into the registers of a warp, where constants and special
/// registers lie too: an instruction never asks what an operand is.
/// </summary>
internal sealed unsafe class Instruction
{
    /// <summary>Does the work for the lanes of a mask, which is not empty.</summary>
    public delegate*<Warp, Instruction, uint, void> Step;

    /// <summary>Offset of the predicate of the guard; negative for none.</summary>
    public int Guard = -1;

    /// <summary>All ones for @!p.</summary>
    public uint GuardFlip;

    public Flow Flow;

    public InstructionClass Class;

    /// <summary>Destination.</summary>
    public int D;

    /// <summary>First to fourth source.</summary>
    public int A, B, C, E;

    /// <summary>Further operands: parts of vectors and matrices.</summary>
    public int[] More = [];

    /// <summary>A constant of the instruction: the offset of an address, a table, a count.</summary>
    public long Value;

    /// <summary>Bytes of one element that memory instructions move.</summary>
    public int Size;

    /// <summary>Elements that memory instructions move.</summary>
    public int Count = 1;

    public PtxSpace Space;

    /// <summary>Where an address is in 64-bit registers; or a result goes to them.</summary>
    public bool WideA, WideD;

    /// <summary>Sign extension of a load; or any other yes or no of a family.</summary>
    public bool Signed;

    /// <summary>Index of the instruction to go to.</summary>
    public int Target = -1;

    public int[] Targets = [];

    /// <summary>Offset of the mask of lanes that a warp-level instruction waits for.</summary>
    public int Members;

    /// <summary>Where lanes that part here meet again; negative: nowhere.</summary>
    public int Meet = -1;

    /// <summary>What a family has to know beyond numbers.</summary>
    public object? Extra;

    /// <summary>A second function of the instruction, if it has one.</summary>
    public nint Next;

    /// <summary>Its own index.</summary>
    public int Index;

    /// <summary>As it was written.</summary>
    public PtxStatement Statement = null!;
}
