using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>Where and how a module declares its parameters.</summary>
/// <param name="Store">The model's store.</param>
/// <param name="Prefix">Put before every name, with a dot.</param>
/// <param name="Teacher">What the teacher does with the parameters.</param>
public readonly record struct ParameterScope(ParameterStore Store, string Prefix, TeacherRule Teacher = TeacherRule.Shared)
{
    /// <summary>A deeper prefix.</summary>
    public ParameterScope Sub(string name) => this with { Prefix = Prefix.Length == 0 ? name : $"{Prefix}.{name}" };

    /// <summary>Declares one parameter.</summary>
    public int Add(
        string name, Shape shape, Initializer initializer, double learningRateScale = 1, double? weightDecay = null) =>
        Store.Add(new ParameterDeclaration(
            Sub(name).Prefix, shape, initializer, Teacher, weightDecay, learningRateScale));
}

/// <summary>y = activation(x wᵀ + b); parameters weight [Out, In] and bias [Out].</summary>
public sealed class LinearLayer
{
    private readonly int weight, bias;

    /// <summary>Declares the parameters; bias starts at 0 when no initialiser is given for it.</summary>
    public LinearLayer(
        ParameterScope scope, int inputs, int outputs, Initializer initializer, Initializer? biasInitializer = null)
    {
        weight = scope.Add("weight", new Shape(outputs, inputs), initializer);
        bias = scope.Add("bias", new Shape(outputs), biasInitializer ?? Initializers.Zeros);
    }

    /// <summary>[..., In] to [..., Out].</summary>
    public Tensor Forward(ParameterView p, Tensor x, Activation activation = Activation.None) =>
        Ops.Linear(x, p[weight], p[bias], activation);

    /// <summary>The next layer of activation(this one), as one operation.</summary>
    public Tensor Forward(ParameterView p, Tensor x, Activation activation, LinearLayer next) =>
        Ops.FeedForward(x, p[weight], p[bias], p[next.weight], p[next.bias], activation);
}

/// <summary>LayerNorm over the last dimension; parameters weight [C] and bias [C].</summary>
public sealed class LayerNormLayer
{
    private readonly int weight, bias;
    private readonly double eps;

    /// <summary>Declares the parameters: scale 1, shift 0.</summary>
    public LayerNormLayer(ParameterScope scope, int channels, double eps = 1e-5)
    {
        weight = scope.Add("weight", new Shape(channels), Initializers.Ones);
        bias = scope.Add("bias", new Shape(channels), Initializers.Zeros);
        this.eps = eps;
    }

    /// <summary>activation(LayerNorm(dropout(x) + residual)).</summary>
    public Tensor Forward(
        ParameterView p, Tensor x, Tensor? residual = null, DropoutSource dropout = default,
        Activation activation = Activation.None) =>
        Ops.LayerNorm(x, p[weight], p[bias], residual, eps, dropout, activation);

    /// <summary>activation(LayerNorm(convolution of x)), [B, T, In] to [B, T', Channels].</summary>
    public Tensor Forward(ParameterView p, Conv1dLayer convolution, Tensor x, Activation activation) =>
        convolution.Forward(p, x, p[weight], p[bias], eps, activation);
}

/// <summary>A table of vectors [Rows, Width], looked up by index; parameter weight.</summary>
public sealed class EmbeddingLayer
{
    private readonly int weight;
    private readonly int paddingRow;

    /// <summary>Declares the table; the padding row, if any, starts at 0 and takes no gradient.</summary>
    public EmbeddingLayer(ParameterScope scope, int rows, int width, double deviation, int paddingRow = -1)
    {
        weight = scope.Add("weight", new Shape(rows, width), Initializers.Normal(deviation, paddingRow));
        this.paddingRow = paddingRow;
    }

    /// <summary>The table [Rows, Width] itself.</summary>
    public Tensor Table(ParameterView p) => p[weight];

    /// <summary>
    /// [shape of ids, Width]. Rows are read from the table in the store's type and rounded after: gradients of a frequent row
    /// add many terms, which bfloat16 would lose.
    /// </summary>
    public Tensor Forward(ParameterView p, Tensor ids) =>
        Ops.Cast(Ops.Embedding(p.Full(weight), ids, paddingRow), p.DType);
}
