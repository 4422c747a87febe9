using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// One recorded operation with one tracked output. A node class is private to its operation's file; its fields name what
/// it saved. <see cref="Backward"/> reads the output's gradient and gives gradients to the input nodes, either by
/// <see cref="Pass"/> (an alias or a finished tensor) or by <see cref="Open"/> (memory for a kernel to write).
/// </summary>
internal abstract class Node(Tape tape, string op)
{
    /// <summary>Gradient of the output so far; absent while nothing reached it.</summary>
    protected TensorRef gradient;

    public Tape Tape { get; } = tape;

    /// <summary>Name of the operation, for messages.</summary>
    public string Op { get; } = op;

    protected IBackend Backend => Tape.Device.Backend;

    /// <summary>Takes part of the output's gradient. The first part is stored, later ones are added to it.</summary>
    public virtual void Pass(TensorRef part)
    {
        if (gradient.IsNone)
        {
            gradient = part.Retain();
            return;
        }
        if (gradient.Storage!.IsExclusive)
        {
            Add(gradient, part, gradient);
            return;
        }
        var sum = Tape.Device.Allocate(gradient.Shape, gradient.DType, "gradient");
        Add(gradient, part, sum);
        gradient.Release();
        gradient = sum;
    }

    /// <summary>
    /// Memory of the output's shape for a kernel to write this part of the gradient into, to be followed by
    /// <see cref="GradientTarget.Commit"/>. With <paramref name="canAccumulate"/> the kernel offers to add to what is
    /// there; whether it must, the target says.
    /// </summary>
    public virtual GradientTarget Open(Shape shape, DType type, bool canAccumulate = false)
    {
        if (canAccumulate && !gradient.IsNone && gradient.Storage!.IsExclusive && gradient.DType == type)
            return new GradientTarget(this, gradient, accumulate: true, inPlace: true);
        return new GradientTarget(this, Tape.Device.Allocate(shape, type, "gradient"), accumulate: false, inPlace: false);
    }

    /// <summary>Runs the derivative if a gradient reached the output, then lets go of everything.</summary>
    public void Run()
    {
        try
        {
            if (!gradient.IsNone) Backward(gradient);
        }
        finally
        {
            Forget();
        }
    }

    /// <summary>Lets go of saved tensors and of the gradient.</summary>
    public void Forget()
    {
        gradient.Release();
        gradient = default;
        Release();
    }

    internal virtual void Committed(in GradientTarget target)
    {
        if (target.InPlace) return;
        Pass(target.Memory);
        target.Memory.Release();
    }

    protected abstract void Backward(TensorRef dy);

    /// <summary>Releases every saved tensor; called exactly once, whether or not the node ran.</summary>
    protected abstract void Release();

    protected void Add(TensorRef x, TensorRef y, TensorRef z)
    {
        var args = new BinaryArgs
        {
            Op = BinaryOp.Add,
            X = x.View,
            Y = y.View,
            Z = z.View,
            Shape = new Shape(checked((int)x.Shape.Count)),
            XStrides = new Shape(1).Strides,
            YStrides = new Shape(1).Strides,
        };
        args.Check();
        Backend.Binary(args);
    }
}

/// <summary>Where a kernel writes one part of a gradient.</summary>
internal readonly struct GradientTarget(Node? owner, TensorRef memory, bool accumulate, bool inPlace)
{
    /// <summary>The operand to write; absent when nobody wants this gradient.</summary>
    public BufferView View => memory.View;

    public TensorRef Memory => memory;

    /// <summary>The kernel must add to what is there instead of overwriting it.</summary>
    public bool Accumulate => accumulate;

    /// <summary>The memory is the gradient itself, not a part to be added to it.</summary>
    public bool InPlace => inPlace;

    /// <summary>Hands the written part over.</summary>
    public void Commit() => owner?.Committed(this);
}

/// <summary>Asking for gradients of operands that may be absent or untracked.</summary>
internal static class NodeExtensions
{
    /// <summary>As <see cref="Node.Open"/>; an absent target when there is no node.</summary>
    public static GradientTarget OpenIfTracked(this Node? node, Shape shape, DType type, bool canAccumulate = false) =>
        node?.Open(shape, type, canAccumulate) ?? default;
}

/// <summary>A watched tensor: the end of the walk. Its gradient stays until the tape is disposed.</summary>
internal sealed class LeafNode(Tape tape, Shape shape, DType type) : Node(tape, "Watch")
{
    public Shape Shape => shape;

    public DType DType => type;

    public TensorRef Gradient => gradient;

    protected override void Backward(TensorRef dy)
    {
    }

    protected override void Release()
    {
    }
}

/// <summary>An operation without a derivative: asking for one is an error, never a silent zero.</summary>
internal sealed class NoDerivativeNode(Tape tape, string op) : Node(tape, op)
{
    protected override void Backward(TensorRef dy) =>
        throw new InvalidOperationException($"{Op} has no derivative, but a gradient was asked for through it.");

    protected override void Release()
    {
    }
}
