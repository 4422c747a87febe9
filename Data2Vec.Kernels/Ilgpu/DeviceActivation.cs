namespace Data2Vec.Kernels.Ilgpu;

/// <summary>The activations that operations apply to their results, and their derivatives.</summary>
internal static class DeviceActivation
{
    public static float Apply(Activation activation, float x) =>
        activation == Activation.Gelu ? DeviceMath.Gelu(x) : activation == Activation.GeluTanh ? DeviceMath.GeluTanh(x) : x;

    public static float Slope(Activation activation, float x) =>
        activation == Activation.Gelu ? DeviceMath.GeluSlope(x)
        : activation == Activation.GeluTanh ? DeviceMath.GeluTanhSlope(x) : 1;

    public static Quad Apply(Activation activation, Quad x) => activation == Activation.None ? x : new Quad(
        Apply(activation, x.A), Apply(activation, x.B), Apply(activation, x.C), Apply(activation, x.D));

    public static Quad Slope(Activation activation, Quad x) => new(
        Slope(activation, x.A), Slope(activation, x.B), Slope(activation, x.C), Slope(activation, x.D));
}
