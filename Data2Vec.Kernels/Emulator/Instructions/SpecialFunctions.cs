namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// rcp, sqrt, rsqrt, ex2, lg2, sin, cos, tanh, copysign, testp. The approximations of the hardware have errors that are
/// bounded, not defined: here each is the value of the function rounded once. Source: PTX ISA 8.4, section 9.7.3.
/// </summary>
internal static unsafe class SpecialFunctions
{
    public static readonly (string, Action<Decoder>)[] Families =
    [
        ("rcp", d => FloatSteps.One<Reciprocal, ReciprocalDouble>(d)),
        ("sqrt", d => FloatSteps.One<Root, RootDouble>(d)),
        ("rsqrt", d => FloatSteps.One<InverseRoot, InverseRootDouble>(d)),
        ("ex2", Single<PowerOfTwo>), ("lg2", Single<LogarithmOfTwo>), ("sin", Single<Sine>), ("cos", Single<Cosine>),
        ("tanh", Single<HyperbolicTangent>), ("copysign", CopySign), ("testp", Test),
    ];

    private static void Single<TOp>(Decoder d)
        where TOp : struct, IUnary<float, float>
    {
        if (d.Type is not { Kind: 'f', Bits: 32, Packed: false }) throw d.Refuse("is not supported");
        FloatSteps.One<TOp, AbsDouble>(d, InstructionClass.Special);
    }

    private static void CopySign(Decoder d)
    {
        d.Ins.Step = d.Type.Wide ? &Lanes.Binary<SignOfFirstDouble, double, double, double>
            : &Lanes.Binary<SignOfFirst, float, float, float>;
        d.Operands(2, InstructionClass.Float);
    }

    private static void Test(Decoder d)
    {
        d.Ins.D = d.PredicateOf(d.Operand(0).Name);
        d.Ins.A = d.Ins.B = d.Source(1, d.Type);
        d.Ins.Class = InstructionClass.Compare;
        d.Ins.Step = (d.Parts[1], d.Type.Wide) switch
        {
            ("finite", false) => &Holds<IsFinite, float>,
            ("finite", true) => &Holds<IsFinite, double>,
            ("infinite", false) => &Holds<IsInfinite, float>,
            ("infinite", true) => &Holds<IsInfinite, double>,
            ("number", false) => &Holds<IsNumber, float>,
            ("number", true) => &Holds<IsNumber, double>,
            ("notanumber", false) => &Holds<IsNoNumber, float>,
            ("notanumber", true) => &Holds<IsNoNumber, double>,
            ("normal", false) => &Holds<IsNormal, float>,
            ("normal", true) => &Holds<IsNormal, double>,
            ("subnormal", false) => &Holds<IsSubnormal, float>,
            ("subnormal", true) => &Holds<IsSubnormal, double>,
            _ => throw d.Refuse("is not supported"),
        };
    }

    private static void Holds<TOp, T>(Warp w, Instruction i, uint mask)
        where TOp : struct, ICompare<float>, ICompare<double> where T : unmanaged => w.SetPredicate(
            i.D, mask, typeof(T) == typeof(float) ? Lanes.Holds<TOp, float>(w, i, mask)
                : Lanes.Holds<TOp, double>(w, i, mask));

    private struct Reciprocal : IUnary<float, float>
    {
        public static float Do(float a) => Floats.Canonical(1 / a);
    }

    private struct ReciprocalDouble : IUnary<double, double>
    {
        public static double Do(double a) => 1 / a;
    }

    private struct Root : IUnary<float, float>
    {
        public static float Do(float a) => Floats.Canonical(MathF.Sqrt(a));
    }

    private struct RootDouble : IUnary<double, double>
    {
        public static double Do(double a) => Math.Sqrt(a);
    }

    private struct InverseRoot : IUnary<float, float>
    {
        public static float Do(float a) => Floats.Canonical((float)(1 / Math.Sqrt(a)));
    }

    private struct InverseRootDouble : IUnary<double, double>
    {
        public static double Do(double a) => 1 / Math.Sqrt(a);
    }

    private struct PowerOfTwo : IUnary<float, float>
    {
        public static float Do(float a) => Floats.Canonical((float)Math.Pow(2, a));
    }

    private struct LogarithmOfTwo : IUnary<float, float>
    {
        public static float Do(float a) => Floats.Canonical((float)Math.Log2(a));
    }

    private struct Sine : IUnary<float, float>
    {
        public static float Do(float a) => Floats.Canonical((float)Math.Sin(a));
    }

    private struct Cosine : IUnary<float, float>
    {
        public static float Do(float a) => Floats.Canonical((float)Math.Cos(a));
    }

    private struct HyperbolicTangent : IUnary<float, float>
    {
        public static float Do(float a) => Floats.Canonical((float)Math.Tanh(a));
    }

    /// <summary>The second source with the sign of the first.</summary>
    private struct SignOfFirst : IBinary<float, float, float>
    {
        public static float Do(float a, float b) => MathF.CopySign(b, a);
    }

    private struct SignOfFirstDouble : IBinary<double, double, double>
    {
        public static double Do(double a, double b) => Math.CopySign(b, a);
    }

    private struct IsFinite : ICompare<float>, ICompare<double>
    {
        public static bool Do(float a, float b) => float.IsFinite(a);

        public static bool Do(double a, double b) => double.IsFinite(a);
    }

    private struct IsInfinite : ICompare<float>, ICompare<double>
    {
        public static bool Do(float a, float b) => float.IsInfinity(a);

        public static bool Do(double a, double b) => double.IsInfinity(a);
    }

    private struct IsNumber : ICompare<float>, ICompare<double>
    {
        public static bool Do(float a, float b) => !float.IsNaN(a);

        public static bool Do(double a, double b) => !double.IsNaN(a);
    }

    private struct IsNoNumber : ICompare<float>, ICompare<double>
    {
        public static bool Do(float a, float b) => float.IsNaN(a);

        public static bool Do(double a, double b) => double.IsNaN(a);
    }

    private struct IsNormal : ICompare<float>, ICompare<double>
    {
        public static bool Do(float a, float b) => float.IsNormal(a);

        public static bool Do(double a, double b) => double.IsNormal(a);
    }

    private struct IsSubnormal : ICompare<float>, ICompare<double>
    {
        public static bool Do(float a, float b) => float.IsSubnormal(a);

        public static bool Do(double a, double b) => double.IsSubnormal(a);
    }
}
