namespace Data2Vec.Kernels.Emulator;

/// <summary>add, sub, mul, mad, fma, div, rem, abs, neg, min, max, sad: integers, float32 and float64.</summary>
internal static unsafe class Arithmetic
{
    public static readonly (string, Action<Decoder>)[] Families =
    [
        ("add", Add), ("sub", Sub), ("mul", Mul), ("mad", Mad), ("fma", Fma), ("div", Div),
        ("rem", d => IntegerSteps.Two<Remainder>(d)),
        ("abs", Abs), ("neg", Neg), ("min", Min), ("max", Max), ("sad", IntegerSteps.Three<SumOfDifference>),
        ("addc", Carries.Decode), ("subc", Carries.Decode), ("madc", Carries.Decode),
    ];

    private static void Add(Decoder d)
    {
        if (d.Has("cc")) Carries.Decode(d);
        else if (IsHalf(d)) Halves.Decode(d);
        else if (d.Type.Kind == 'f' && DirectedRounding.Is(d)) DirectedRounding.Decode(d);
        else if (d.Type.Kind == 'f') FloatSteps.Two<AddSingle, AddDouble>(d);
        else if (d.Has("sat")) Saturated(d, &Lanes.Binary<SaturatedAdd, int, int, int>);
        else IntegerSteps.Two<IntegerAdd>(d);
    }

    private static void Sub(Decoder d)
    {
        if (d.Has("cc")) Carries.Decode(d);
        else if (IsHalf(d)) Halves.Decode(d);
        else if (d.Type.Kind == 'f' && DirectedRounding.Is(d)) DirectedRounding.Decode(d);
        else if (d.Type.Kind == 'f') FloatSteps.Two<SubtractSingle, SubtractDouble>(d);
        else if (d.Has("sat")) Saturated(d, &Lanes.Binary<SaturatedSubtract, int, int, int>);
        else IntegerSteps.Two<IntegerSubtract>(d);
    }

    private static void Mul(Decoder d)
    {
        if (IsHalf(d)) Halves.Decode(d);
        else if (d.Type.Kind == 'f' && DirectedRounding.Is(d)) DirectedRounding.Decode(d);
        else if (d.Type.Kind == 'f') FloatSteps.Two<MultiplySingle, MultiplyDouble>(d);
        else if (d.Has("wide")) IntegerSteps.Wide2(d);
        else if (d.Has("hi")) IntegerSteps.Two<MultiplyHigh>(d);
        else IntegerSteps.Two<MultiplyLow>(d);
    }

    private static void Mad(Decoder d)
    {
        if (d.Has("cc")) Carries.Decode(d);
        else if (d.Type.Kind == 'f') Fma(d);
        else if (d.Has("sat")) throw d.Refuse("is not supported");
        else if (d.Has("wide")) IntegerSteps.Wide3(d);
        else if (d.Has("hi")) IntegerSteps.Three<MultiplyAddHigh>(d);
        else IntegerSteps.Three<MultiplyAddLow>(d);
    }

    private static void Fma(Decoder d)
    {
        if (IsHalf(d)) Halves.Decode(d);
        else if (DirectedRounding.Is(d)) DirectedRounding.Decode(d);
        else FloatSteps.Three<FusedSingle, FusedDouble>(d);
    }

    /// <summary>.approx, .full and .rn are all rounded to nearest here: the first two allow it.</summary>
    private static void Div(Decoder d)
    {
        if (d.Type.Kind == 'f') FloatSteps.Two<DivideSingle, DivideDouble>(d);
        else IntegerSteps.Two<Quotient>(d);
    }

    private static void Min(Decoder d)
    {
        if (IsHalf(d)) Halves.Decode(d);
        else if (d.Type.Kind == 'f' && d.Has("NaN")) FloatSteps.Two<MinOrNanSingle, MinDouble>(d);
        else if (d.Type.Kind == 'f') FloatSteps.Two<MinSingle, MinDouble>(d);
        else IntegerSteps.Two<Lesser>(d);
    }

    private static void Max(Decoder d)
    {
        if (IsHalf(d)) Halves.Decode(d);
        else if (d.Type.Kind == 'f' && d.Has("NaN")) FloatSteps.Two<MaxOrNanSingle, MaxDouble>(d);
        else if (d.Type.Kind == 'f') FloatSteps.Two<MaxSingle, MaxDouble>(d);
        else IntegerSteps.Two<Greater>(d);
    }

    private static void Abs(Decoder d)
    {
        if (IsHalf(d)) Halves.Decode(d);
        else if (d.Type.Kind == 'f') FloatSteps.One<AbsSingle, AbsDouble>(d);
        else IntegerSteps.One<Magnitude>(d);
    }

    private static void Neg(Decoder d)
    {
        if (IsHalf(d)) Halves.Decode(d);
        else if (d.Type.Kind == 'f') FloatSteps.One<NegateSingle, NegateDouble>(d);
        else IntegerSteps.One<IntegerNegate>(d);
    }

    private static bool IsHalf(Decoder d) => d.Type.Packed || d.Type is { Bits: 16, Kind: 'f' or 'h' };

    private static void Saturated(Decoder d, delegate*<Warp, Instruction, uint, void> step)
    {
        if (d.Type is not { Kind: 's', Bits: 32 }) throw d.Refuse("is not supported");
        d.Ins.Step = step;
        d.Operands(2, InstructionClass.Integer);
    }
}
