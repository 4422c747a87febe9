using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// Convolution over time, channels last: parameters weight [Out, kernel, In / groups] and, when asked for, bias [Out].
/// </summary>
public sealed class Conv1dLayer
{
    private readonly int weight, bias;

    /// <summary>Declares the parameters.</summary>
    /// <param name="scope">Where.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="kernel">Taps.</param>
    /// <param name="stride">Input frames from one output frame to the next.</param>
    /// <param name="padding">Frames of zeros before and after the input.</param>
    /// <param name="groups">Parts of the channels that do not see each other.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="initializer">First values of the weight.</param>
    /// <param name="biasInitializer">First values of the bias; null = 0.</param>
    /// <exception cref="ArgumentException">The groups do not divide the channels.</exception>
    public Conv1dLayer(
        ParameterScope scope, int inputs, int outputs, int kernel, int stride, int padding, int groups, bool bias,
        Initializer initializer, Initializer? biasInitializer = null)
    {
        if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
        {
            throw new ArgumentException(
                $"Conv1dLayer: {groups} groups must divide the channels of {scope.Prefix}; "
                + $"got {inputs} in, {outputs} out.");
        }
        Kernel = kernel;
        Options = new Conv1dOptions(stride, padding, Groups: groups);
        weight = scope.Add("weight", new Shape(outputs, kernel, inputs / groups), initializer);
        this.bias = bias ? scope.Add("bias", new Shape(outputs), biasInitializer ?? Initializers.Zeros) : -1;
    }

    /// <summary>Taps.</summary>
    public int Kernel { get; }

    /// <summary>Stride, padding and groups.</summary>
    public Conv1dOptions Options { get; }

    /// <summary>Frames that come out of this many.</summary>
    public int OutputTime(int time) => Options.OutputTime(time, Kernel);

    /// <summary>[B, T, In] to [B, <see cref="OutputTime"/>, Out].</summary>
    public Tensor Forward(ParameterView p, Tensor x, Activation activation = Activation.None) =>
        Ops.Conv1d(x, p[weight], bias < 0 ? null : p[bias], Options, activation);

    /// <summary>The same with a norm over the channels, scaled and shifted, before the activation.</summary>
    public Tensor Forward(ParameterView p, Tensor x, Tensor gamma, Tensor beta, double eps, Activation activation) =>
        Ops.Conv1dLayerNorm(x, p[weight], bias < 0 ? null : p[bias], gamma, beta, Options, eps, activation);
}
