namespace Data2Vec.Kernels.Emulator;

/// <summary>Picks the loop over lanes for a float operation by the type of the instruction, .ftz and .sat.</summary>
internal static unsafe class FloatSteps
{
    /// <summary>d = op(a).</summary>
    public static void One<TSingle, TDouble>(Decoder d, InstructionClass counted = InstructionClass.Float)
        where TSingle : struct, IUnary<float, float> where TDouble : struct, IUnary<double, double>
    {
        d.Ins.Step = (d.Type.Bits, d.Has("ftz"), d.Has("sat")) switch
        {
            (32, false, false) => &Lanes.Unary<TSingle, float, float>,
            (32, true, false) => &Lanes.Unary<Flushed1<TSingle>, float, float>,
            (32, false, true) => &Lanes.Unary<Saturated1<TSingle>, float, float>,
            (32, true, true) => &Lanes.Unary<Saturated1<Flushed1<TSingle>>, float, float>,
            (64, _, false) => &Lanes.Unary<TDouble, double, double>,
            _ => throw d.Refuse("is not supported"),
        };
        Finish(d, 1, counted);
    }

    /// <summary>d = op(a, b).</summary>
    public static void Two<TSingle, TDouble>(Decoder d)
        where TSingle : struct, IBinary<float, float, float> where TDouble : struct, IBinary<double, double, double>
    {
        d.Ins.Step = (d.Type.Bits, d.Has("ftz"), d.Has("sat")) switch
        {
            (32, false, false) => &Lanes.Binary<TSingle, float, float, float>,
            (32, true, false) => &Lanes.Binary<Flushed2<TSingle>, float, float, float>,
            (32, false, true) => &Lanes.Binary<Saturated2<TSingle>, float, float, float>,
            (32, true, true) => &Lanes.Binary<Saturated2<Flushed2<TSingle>>, float, float, float>,
            (64, _, false) => &Lanes.Binary<TDouble, double, double, double>,
            _ => throw d.Refuse("is not supported"),
        };
        Finish(d, 2, InstructionClass.Float);
    }

    /// <summary>d = op(a, b, c).</summary>
    public static void Three<TSingle, TDouble>(Decoder d)
        where TSingle : struct, ITernary<float, float, float, float>
        where TDouble : struct, ITernary<double, double, double, double>
    {
        d.Ins.Step = (d.Type.Bits, d.Has("ftz"), d.Has("sat")) switch
        {
            (32, false, false) => &Lanes.Ternary<TSingle, float, float, float, float>,
            (32, true, false) => &Lanes.Ternary<Flushed3<TSingle>, float, float, float, float>,
            (32, false, true) => &Lanes.Ternary<Saturated3<TSingle>, float, float, float, float>,
            (32, true, true) => &Lanes.Ternary<Saturated3<Flushed3<TSingle>>, float, float, float, float>,
            (64, _, false) => &Lanes.Ternary<TDouble, double, double, double, double>,
            _ => throw d.Refuse("is not supported"),
        };
        Finish(d, 3, InstructionClass.Float);
    }

    private static void Finish(Decoder d, int sources, InstructionClass counted)
    {
        if (d.Has("rz") || d.Has("rm") || d.Has("rp")) throw d.Refuse("rounds in a way that is not supported");
        d.Operands(sources, d.Type.Bits == 64 && counted == InstructionClass.Float ? InstructionClass.Double : counted);
    }
}
