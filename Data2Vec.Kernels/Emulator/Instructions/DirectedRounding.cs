namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// add, sub, mul, fma of float32 that round towards zero (.rz), down (.rm) or up (.rp). The product of two float32 is
/// exact in double; a sum leaves an error that is exact too (Knuth's two-sum), so the side on which the float32 lies is
/// known.
/// </summary>
internal static unsafe class DirectedRounding
{
    /// <summary>True if the opcode rounds in a direction.</summary>
    public static bool Is(Decoder d) => d.Has("rz") || d.Has("rm") || d.Has("rp");

    public static void Decode(Decoder d)
    {
        if (d.Type is not { Kind: 'f', Bits: 32, Packed: false }) throw d.Refuse("is not supported");
        d.Operands(d.Parts[0] is "fma" or "mad" ? 3 : 2, InstructionClass.Float);
        d.Ins.Step = (d.Has("rz"), d.Has("rm")) switch
        {
            (true, _) => Pick<Zero>(d),
            (_, true) => Pick<Down>(d),
            _ => Pick<Up>(d),
        };
    }

    private static delegate*<Warp, Instruction, uint, void> Pick<TDirection>(Decoder d)
        where TDirection : struct, IDirection => (d.Parts[0], d.Has("ftz"), d.Has("sat")) switch
        {
            ("add", false, false) => &Lanes.Binary<Add<TDirection>, float, float, float>,
            ("add", true, false) => &Lanes.Binary<Flushed2<Add<TDirection>>, float, float, float>,
            ("sub", false, false) => &Lanes.Binary<Subtract<TDirection>, float, float, float>,
            ("sub", true, false) => &Lanes.Binary<Flushed2<Subtract<TDirection>>, float, float, float>,
            ("mul", false, false) => &Lanes.Binary<Multiply<TDirection>, float, float, float>,
            ("mul", true, false) => &Lanes.Binary<Flushed2<Multiply<TDirection>>, float, float, float>,
            ("fma" or "mad", false, false) => &Lanes.Ternary<Fused<TDirection>, float, float, float, float>,
            ("fma" or "mad", true, false) => &Lanes.Ternary<Flushed3<Fused<TDirection>>, float, float, float, float>,
            ("fma" or "mad", false, true) => &Lanes.Ternary<Saturated3<Fused<TDirection>>, float, float, float, float>,
            _ => throw d.Refuse("is not supported"),
        };

    private interface IDirection
    {
        /// <summary>
        /// The result, of the nearest float32 and on which side of it the exact number lies (-1, 0, 1).
        /// </summary>
        static abstract float Settle(float nearest, int side);

        /// <summary>Sign of an exact zero that is the sum of opposite numbers.</summary>
        static abstract float OppositeZero { get; }
    }

    private struct Zero : IDirection
    {
        public static float Settle(float nearest, int side) => nearest > 0 ? Down.Settle(nearest, side)
            : nearest < 0 ? Up.Settle(nearest, side) : nearest;

        public static float OppositeZero => 0;
    }

    private struct Down : IDirection
    {
        public static float Settle(float nearest, int side) => side < 0 ? MathF.BitDecrement(nearest) : nearest;

        public static float OppositeZero => -0.0f;
    }

    private struct Up : IDirection
    {
        public static float Settle(float nearest, int side) => side > 0 ? MathF.BitIncrement(nearest) : nearest;

        public static float OppositeZero => 0;
    }

    private struct Fused<TDirection> : ITernary<float, float, float, float>
        where TDirection : struct, IDirection
    {
        public static float Do(float a, float b, float c)
        {
            var product = (double)a * b;
            var sum = product + c;
            if (!double.IsFinite(sum)) return Floats.Canonical((float)sum);
            // sum + error = product + c, exactly.
            var part = sum - product;
            var error = product - (sum - part) + (c - part);
            if (sum == 0 && error == 0)
                return double.IsNegative(product) == float.IsNegative(c) ? (float)sum : TDirection.OppositeZero;
            var nearest = (float)sum;
            return TDirection.Settle(nearest, sum != nearest ? Math.Sign(sum - nearest) : Math.Sign(error));
        }
    }

    private struct Add<TDirection> : IBinary<float, float, float>
        where TDirection : struct, IDirection
    {
        public static float Do(float a, float b) => Fused<TDirection>.Do(a, 1, b);
    }

    private struct Subtract<TDirection> : IBinary<float, float, float>
        where TDirection : struct, IDirection
    {
        public static float Do(float a, float b) => Fused<TDirection>.Do(a, 1, -b);
    }

    private struct Multiply<TDirection> : IBinary<float, float, float>
        where TDirection : struct, IDirection
    {
        /// <summary>Adds a zero of the product's own sign.</summary>
        public static float Do(float a, float b) =>
            Fused<TDirection>.Do(a, b, MathF.CopySign(0, a) * MathF.CopySign(1, b));
    }
}
