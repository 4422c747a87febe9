namespace Data2Vec.Kernels.Emulator;

/// <summary>bra, brx.idx, ret, exit, trap, call. Source: PTX ISA 8.4, section 9.7.12.</summary>
internal static unsafe class Branches
{
    public static readonly (string, Action<Decoder>)[] Families =
        [("bra", Branch), ("brx", Indexed), ("ret", Exit), ("exit", Exit), ("trap", Trap), ("brkpt", Break),
            ("call", Call)];

    private static void Branch(Decoder d)
    {
        d.Ins.Flow = Flow.Branch;
        d.Ins.Class = InstructionClass.Control;
        d.Ins.Target = d.Label(d.Operand(0).Name);
    }

    private static void Indexed(Decoder d)
    {
        d.Ins.Flow = Flow.BranchIndexed;
        d.Ins.Class = InstructionClass.Control;
        d.Ins.A = d.Source(0, new PtxType('u', 32));
        d.Ins.Targets = [.. d.BranchTargets(d.Operand(1).Name).Select(d.Label)];
    }

    private static void Exit(Decoder d)
    {
        d.Ins.Flow = Flow.Exit;
        d.Ins.Class = InstructionClass.Control;
    }

    private static void Trap(Decoder d)
    {
        d.Ins.Class = InstructionClass.Control;
        d.Ins.Extra = "trap";
        d.Ins.Step = &Stop;
    }

    private static void Break(Decoder d) => d.Ins.Step = &Nothing;

    private static void Nothing(Warp w, Instruction i, uint mask)
    {
    }

    /// <summary>Compilers inline device functions; what is left are printf and failed assertions.</summary>
    private static void Call(Decoder d)
    {
        var name = d.Statement.Operands.FirstOrDefault(o => o.Kind == PtxOperandKind.Name)?.Name ?? "a pointer";
        d.Ins.Class = InstructionClass.Control;
        d.Ins.Extra = name == "__assertfail" ? "an assertion of the kernel failed"
            : $"calls {name}, and the emulator runs no functions";
        d.Ins.Step = &Stop;
    }

    private static void Stop(Warp w, Instruction i, uint mask) => throw new LaneFault(
        FindingKind.Trap, System.Numerics.BitOperations.TrailingZeroCount(mask), (string)i.Extra!);
}
