using System.Globalization;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// Turns one statement into an instruction. The families (Instructions/) ask it for operands; it answers with offsets
/// into the registers of a warp.
/// </summary>
internal sealed unsafe class Decoder
{
    private readonly PtxEntry entry;
    private readonly RegisterLayout registers;
    private readonly Func<string, ulong?> symbols;

    public Decoder(PtxEntry entry, RegisterLayout registers, Func<string, ulong?> symbols)
    {
        this.entry = entry;
        this.registers = registers;
        this.symbols = symbols;
        foreach (var (name, bits) in entry.Registers) registers.Add(name, bits);
    }

    /// <summary>What is being decoded.</summary>
    public PtxStatement Statement { get; private set; } = null!;

    /// <summary>Parts of the opcode: "ld", "global", "f32".</summary>
    public string[] Parts { get; private set; } = [];

    /// <summary>What is being made.</summary>
    public Instruction Ins { get; private set; } = null!;

    /// <summary>Types in the opcode, in their order.</summary>
    public PtxType[] Types { get; private set; } = [];

    /// <summary>The last type of the opcode.</summary>
    public PtxType Type => Types.Length > 0 ? Types[^1] : throw Refuse("has no type");

    public bool Has(string part) => Array.IndexOf(Parts, part, 1) > 0;

    /// <summary>Decodes a statement.</summary>
    /// <exception cref="PtxException">There is no such instruction, or not with these operands.</exception>
    public Instruction Decode(PtxStatement statement, int index)
    {
        Statement = statement;
        Parts = statement.Opcode.Split('.');
        Types = [.. Parts.Skip(1).Select(PtxType.TryParse).Where(t => t is not null).Select(t => t!.Value)];
        Ins = new Instruction { Statement = statement, Index = index };
        if (statement.Guard is { } guard)
        {
            Ins.Guard = PredicateOf(guard);
            Ins.GuardFlip = statement.GuardNegated ? uint.MaxValue : 0;
        }
        if (!InstructionSet.Families.TryGetValue(Parts[0], out var family)) throw Refuse("is not supported");
        family(this);
        return Ins;
    }

    /// <summary>The refusal of this statement: "add.rz.f32 is not supported by the emulator."</summary>
    public PtxException Refuse(string why) => new(Statement.Line, $"{Statement.Opcode} {why} by the emulator.");

    public int OperandCount => Statement.Operands.Count;

    public PtxOperand Operand(int index) => index < Statement.Operands.Count ? Statement.Operands[index]
        : throw new PtxException(
            Statement.Line, $"{Statement.Opcode} needs more than {Statement.Operands.Count} operands.");

    /// <summary>Sets destination and up to three sources, all of the type of the opcode.</summary>
    public void Operands(int sources, InstructionClass counted)
    {
        Ins.D = Destination(0, Type);
        Ins.A = Source(1, Type);
        if (sources > 1) Ins.B = Source(2, Type);
        if (sources > 2) Ins.C = Source(3, Type);
        Ins.Class = counted;
    }

    /// <summary>Sets destination and up to three sources of given types.</summary>
    public void Operands(PtxType result, InstructionClass counted, PtxType a, PtxType? b = null, PtxType? c = null)
    {
        Ins.D = Destination(0, result);
        Ins.A = Source(1, a);
        if (b is { } second) Ins.B = Source(2, second);
        if (c is { } third) Ins.C = Source(3, third);
        Ins.Class = counted;
    }

    /// <summary>Bits of a declared register; 0 if it is none.</summary>
    public int BitsOf(string name) => registers.Knows(name) ? registers[name].Bits : 0;

    /// <summary>
    /// Offset of the register that operand <paramref name="index"/> writes; "_" is a register that nobody reads.
    /// </summary>
    public int Destination(int index, PtxType type) => Destination(Operand(index), type);

    public int Destination(PtxOperand operand, PtxType type)
    {
        if (operand.Kind == PtxOperandKind.Name && operand.Name == "_") return registers.Take(type.Wide);
        return Register(operand, type.Wide);
    }

    /// <summary>Offset of a source: a register, a number, the address of a variable or a special register.</summary>
    public int Source(int index, PtxType type) => Source(Operand(index), type);

    public int Source(PtxOperand operand, PtxType type)
    {
        if (operand.Kind == PtxOperandKind.Number) return registers.Constant(Convert(operand, type), type.Wide);
        if (operand.Kind != PtxOperandKind.Name)
            throw new PtxException(Statement.Line, $"{Statement.Opcode}: a register or number was expected.");
        if (registers.Knows(operand.Name)) return Register(operand, type.Wide);
        if (operand.Name == "WARP_SZ") return registers.Constant(32, type.Wide);
        if (operand.Name[0] == '%')
            return registers.Special(SpecialRegisters.Find(operand.Name, Statement.Line), type.Wide);
        return registers.Constant(Symbol(operand.Name) + (ulong)operand.Value, type.Wide);
    }

    /// <summary>
    /// Offset of a source whose register may be wider than the type, and whether it has 8 bytes per lane.
    /// </summary>
    public (int Offset, bool Wide) Loose(PtxOperand operand, PtxType type)
    {
        if (operand.Kind == PtxOperandKind.Name && registers.Knows(operand.Name))
        {
            var (offset, bits) = registers[operand.Name];
            if (bits >= Math.Max(8, type.Bits) || bits == 16) return (offset, bits == 64);
            throw Mismatch(operand.Name);
        }
        return (Source(operand, type), type.Wide);
    }

    /// <summary>Offset of a predicate, and all ones if it is negated; true and false may stand for one.</summary>
    public (int Offset, uint Flip) Predicate(int index)
    {
        var operand = Operand(index);
        if (operand.Kind == PtxOperandKind.Number)
            return (registers.Constant(operand.Value != 0 ? uint.MaxValue : 0, false), 0);
        return (PredicateOf(operand.Name), operand.Negated ? uint.MaxValue : 0);
    }

    /// <summary>A predicate without a name.</summary>
    public int NewPredicate() => registers.Predicate();

    /// <summary>Offset of a predicate by its name; "_" is one that nobody reads.</summary>
    public int PredicateOf(string name) => name == "_" ? registers.Predicate()
        : registers.Knows(name) && registers[name].Bits == 1 ? registers[name].Offset : throw Mismatch(name);

    /// <summary>Sets address fields from [base + offset].</summary>
    public void Address(int index)
    {
        var operand = Operand(index);
        if (operand.Kind != PtxOperandKind.Address)
            throw new PtxException(Statement.Line, $"{Statement.Opcode}: an address was expected.");
        if (registers.Knows(operand.Name))
        {
            var (offset, bits) = registers[operand.Name];
            if (bits < 32) throw Mismatch(operand.Name);
            (Ins.A, Ins.WideA, Ins.Value) = (offset, bits == 64, operand.Value);
        }
        else
        {
            var address = operand.Name.Length == 0 ? 0 : Symbol(operand.Name);
            (Ins.A, Ins.WideA) = (registers.Constant(address + (ulong)operand.Value, true), true);
        }
    }

    /// <summary>Operand as a number that is known now.</summary>
    public long Immediate(int index) => Operand(index) is { Kind: PtxOperandKind.Number } o ? o.Value
        : throw new PtxException(Statement.Line, $"{Statement.Opcode}: operand {index + 1} has to be a constant.");

    /// <summary>Offset of a constant.</summary>
    public int Constant(ulong value, bool wide) => registers.Constant(value, wide);

    /// <summary>Index of the statement behind a label.</summary>
    public int Label(string name) => entry.Labels.TryGetValue(name, out var index) ? index
        : throw new PtxException(Statement.Line, $"There is no label {name}.");

    public string[] BranchTargets(string name) => entry.BranchTargets.TryGetValue(name, out var targets) ? targets
        : throw new PtxException(Statement.Line, $"There are no branch targets {name}.");

    /// <summary>True for a register, parameter or variable of this name.</summary>
    public bool IsSymbol(string name) => symbols(name) is not null;

    private int Register(PtxOperand operand, bool wide)
    {
        if (operand.Kind != PtxOperandKind.Name || !registers.Knows(operand.Name))
            throw new PtxException(Statement.Line, $"{Statement.Opcode}: {Words(operand)} is no register.");
        var (offset, bits) = registers[operand.Name];
        return bits != 1 && bits == 64 == wide ? offset : throw Mismatch(operand.Name);
    }

    private ulong Symbol(string name) => symbols(name)
        ?? throw new PtxException(Statement.Line, $"{Statement.Opcode}: there is no {name}.");

    private ulong Convert(PtxOperand operand, PtxType type)
    {
        var bits = (ulong)operand.Value;
        if (type.Kind == 'f' && type.Bits == 32 && operand.Float == PtxNumber.Float64)
            return BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(bits));
        if (type.Kind == 'f' && type.Bits == 64 && operand.Float == PtxNumber.Float32)
            return BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle((uint)bits));
        return type.Bits switch { 8 => (byte)bits, 16 => (ushort)bits, 32 => (uint)bits, _ => bits };
    }

    private static string Words(PtxOperand operand) =>
        operand.Kind == PtxOperandKind.Number ? operand.Value.ToString(CultureInfo.InvariantCulture) : operand.Name;

    private PtxException Mismatch(string name) => new(Statement.Line, registers.Knows(name)
        ? $"{Statement.Opcode}: {name} has {registers[name].Bits} bits." : $"{Statement.Opcode}: there is no {name}.");
}
