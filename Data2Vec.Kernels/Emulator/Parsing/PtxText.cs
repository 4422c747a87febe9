namespace Data2Vec.Kernels.Emulator;

/// <summary>Where a variable lies.</summary>
internal enum PtxSpace
{
    Generic,
    Global,
    Const,
    Shared,
    Local,
    Param,
}

/// <summary>A variable of a module or an entry.</summary>
/// <param name="Name">As the text has it.</param>
/// <param name="Space">Where it lies.</param>
/// <param name="Align">Bytes that its address is a multiple of.</param>
/// <param name="Bytes">Its size; 0 for the dynamic shared memory of a block.</param>
/// <param name="Contents">Its first bytes, or null.</param>
/// <param name="Line">Line of the declaration.</param>
internal sealed record PtxVariable(string Name, PtxSpace Space, int Align, int Bytes, byte[]? Contents, int Line);

/// <summary>What an operand is.</summary>
internal enum PtxOperandKind
{
    /// <summary>A register, variable or label.</summary>
    Name,

    /// <summary>
    /// A number, as a 64-bit pattern: an integer, or the bits of a float (see <see cref="PtxOperand.Float"/>).
    /// </summary>
    Number,

    /// <summary>[base + offset].</summary>
    Address,

    /// <summary>{a, b, ...}.</summary>
    Vector,

    /// <summary>(a, b, ...), of a call.</summary>
    Group,
}

/// <summary>How the bits of a number are to be read.</summary>
internal enum PtxNumber
{
    Integer,
    Float32,
    Float64,
}

/// <summary>One operand.</summary>
internal sealed class PtxOperand
{
    public required PtxOperandKind Kind { get; init; }

    /// <summary>Name of a register, variable or label; of an address its base, "" for none.</summary>
    public string Name { get; init; } = "";

    /// <summary>The second name of "p|q".</summary>
    public string? Second { get; init; }

    /// <summary>True for "!p".</summary>
    public bool Negated { get; init; }

    /// <summary>Bits of a number, or offset of an address.</summary>
    public long Value { get; init; }

    public PtxNumber Float { get; init; }

    /// <summary>Parts of a vector or group.</summary>
    public IReadOnlyList<PtxOperand> Parts { get; init; } = [];
}

/// <summary>A place in the sources from which the PTX was made.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Line">Its line, from 1.</param>
/// <param name="InlinedAt">Where the function was called from, if it was inlined.</param>
internal sealed record PtxLocation(string File, int Line, PtxLocation? InlinedAt)
{
    /// <summary>"matmul.cu:31, called from matmul.cu:80".</summary>
    public override string ToString() => InlinedAt is null ? $"{File}:{Line}"
        : $"{File}:{Line}, called from {InlinedAt}";
}

/// <summary>One instruction as it is written.</summary>
/// <param name="Opcode">"ld.global.v4.f32".</param>
/// <param name="Guard">Register of the guard @p, or null.</param>
/// <param name="GuardNegated">True for @!p.</param>
/// <param name="Operands">In their order.</param>
/// <param name="Line">Line of the PTX.</param>
/// <param name="Location">Where it came from, if the PTX says so.</param>
internal sealed record PtxStatement(
    string Opcode, string? Guard, bool GuardNegated, IReadOnlyList<PtxOperand> Operands, int Line,
        PtxLocation? Location);

/// <summary>A kernel as it is written: its registers, variables and instructions.</summary>
internal sealed class PtxEntry(string name, int line)
{
    public string Name => name;

    public int Line => line;

    public List<PtxVariable> Parameters { get; } = [];

    /// <summary>Shared and local variables of the body.</summary>
    public List<PtxVariable> Variables { get; } = [];

    /// <summary>Register name -> bits: 1 for a predicate, 8 to 64 otherwise.</summary>
    public Dictionary<string, int> Registers { get; } = new(StringComparer.Ordinal);

    public List<PtxStatement> Statements { get; } = [];

    /// <summary>Label -> index of the statement that follows it.</summary>
    public Dictionary<string, int> Labels { get; } = new(StringComparer.Ordinal);

    /// <summary>Label of a .branchtargets -> its labels.</summary>
    public Dictionary<string, string[]> BranchTargets { get; } = new(StringComparer.Ordinal);

    /// <summary>Most threads of a block that .maxntid or .reqntid allow; 1024 without.</summary>
    public int MostThreads { get; set; } = 1024;
}

/// <summary>A module as it is written.</summary>
internal sealed class PtxModule
{
    public Dictionary<string, PtxEntry> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Global, constant and (dynamic) shared variables.</summary>
    public List<PtxVariable> Variables { get; } = [];

    /// <summary>Capability of .target, such as 80.</summary>
    public int Target { get; set; }
}
