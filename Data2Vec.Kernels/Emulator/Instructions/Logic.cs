namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// and, or, xor, not, cnot, lop3, of registers and of predicates. Source: PTX ISA 8.4, section 9.7.7.
/// </summary>
internal static unsafe class Logic
{
    public static readonly (string, Action<Decoder>)[] Families =
    [
        ("and", And), ("or", Or), ("xor", Xor), ("not", Not), ("cnot", d => IntegerSteps.One<IsZero>(d)),
        ("lop3", Lop3),
    ];

    private static void And(Decoder d)
    {
        if (d.Type.Kind == 'p') Predicates(d, &AndOfPredicates);
        else IntegerSteps.Two<BitAnd>(d);
    }

    private static void Or(Decoder d)
    {
        if (d.Type.Kind == 'p') Predicates(d, &OrOfPredicates);
        else IntegerSteps.Two<BitOr>(d);
    }

    private static void Xor(Decoder d)
    {
        if (d.Type.Kind == 'p') Predicates(d, &XorOfPredicates);
        else IntegerSteps.Two<BitXor>(d);
    }

    private static void Not(Decoder d)
    {
        if (d.Type.Kind != 'p')
        {
            IntegerSteps.One<BitNot>(d);
            return;
        }
        d.Ins.D = d.PredicateOf(d.Operand(0).Name);
        (d.Ins.A, var flip) = d.Predicate(1);
        d.Ins.Value = ~flip;
        d.Ins.Step = &NotOfPredicate;
        d.Ins.Class = InstructionClass.Compare;
    }

    private static void Predicates(Decoder d, delegate*<Warp, Instruction, uint, void> step)
    {
        d.Ins.D = d.PredicateOf(d.Operand(0).Name);
        (d.Ins.A, var flipA) = d.Predicate(1);
        (d.Ins.B, var flipB) = d.Predicate(2);
        (d.Ins.Value, d.Ins.E) = (flipA, (int)flipB);
        d.Ins.Step = step;
        d.Ins.Class = InstructionClass.Compare;
    }

    private static void AndOfPredicates(Warp w, Instruction i, uint mask) =>
        w.SetPredicate(i.D, mask, (w.Predicate(i.A) ^ (uint)i.Value) & (w.Predicate(i.B) ^ (uint)i.E));

    private static void OrOfPredicates(Warp w, Instruction i, uint mask) =>
        w.SetPredicate(i.D, mask, w.Predicate(i.A) ^ (uint)i.Value | w.Predicate(i.B) ^ (uint)i.E);

    private static void XorOfPredicates(Warp w, Instruction i, uint mask) =>
        w.SetPredicate(i.D, mask, w.Predicate(i.A) ^ (uint)i.Value ^ w.Predicate(i.B) ^ (uint)i.E);

    private static void NotOfPredicate(Warp w, Instruction i, uint mask) =>
        w.SetPredicate(i.D, mask, w.Predicate(i.A) ^ (uint)i.Value);

    private static void Lop3(Decoder d)
    {
        if (d.Type is not { Kind: 'b', Bits: 32 } || d.Has("and") || d.Has("or")) throw d.Refuse("is not supported");
        d.Operands(3, InstructionClass.Integer);
        d.Ins.Value = d.Immediate(4);
        d.Ins.Step = &TableOfThree;
    }

    /// <summary>Bit n of the table is the result where a, b, c are the bits of n, a the highest.</summary>
    private static void TableOfThree(Warp w, Instruction i, uint mask)
    {
        uint* d = w.At<uint>(i.D), a = w.At<uint>(i.A);
        uint* b = w.At<uint>(i.B), c = w.At<uint>(i.C);
        for (var k = 0; k < Lanes.Count; k++)
        {
            if ((mask >> k & 1) == 0) continue;
            var (x, y, z, result) = (a[k], b[k], c[k], 0u);
            for (var n = 0; n < 8; n++)
            {
                if ((i.Value >> n & 1) != 0)
                    result |= ((n & 4) != 0 ? x : ~x) & ((n & 2) != 0 ? y : ~y) & ((n & 1) != 0 ? z : ~z);
            }
            d[k] = result;
        }
    }
}
