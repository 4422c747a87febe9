using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// The record of one differentiated computation: an append-only list of nodes, so that walking it backwards visits
/// every operation after all that used its result. Tensors become tracked by <see cref="Watch"/> (or as parameters of a
/// store); everything computed from them is recorded here.
/// </summary>
public sealed class Tape : IDisposable
{
    private readonly List<Node?> nodes = [];
    private readonly List<LeafNode> leaves = [];
    private bool ran, disposed;

    /// <summary>A tape for tensors of one device.</summary>
    public Tape(Device device) => Device = device;

    /// <summary>The device whose operations it records.</summary>
    public Device Device { get; }

    /// <summary>Operations recorded and not yet walked.</summary>
    public int Count => nodes.Count(n => n is not null);

    /// <summary>A tracked alias of a floating-point tensor, whose gradient <see cref="Gradient"/> gives after backward.</summary>
    public Tensor Watch(Tensor tensor)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!tensor.DType.IsFloat())
            throw new ArgumentException($"Tape.Watch: only floating-point tensors have gradients; got {tensor}.");
        var leaf = new LeafNode(this, tensor.Shape, tensor.DType);
        leaves.Add(leaf);
        return new Tensor(tensor.Ref.Retain(), tensor.MadeBy, leaf);
    }

    /// <summary>
    /// Computes the gradients of a scalar (or of sum(seed * output) when a seed is given). Every node lets go of what it
    /// saved as soon as it has run; a tape runs once.
    /// </summary>
    /// <param name="output">A tracked tensor; one element unless a seed is given.</param>
    /// <param name="seed">Gradient to start from, of the shape and type of the output.</param>
    /// <exception cref="ArgumentException">The output is not tracked by this tape, or needs a seed.</exception>
    /// <exception cref="InvalidOperationException">
    /// An operation on the way has no derivative, a value that it saved was overwritten, or the tape has run before. After a
    /// failure the tape is empty and disposed.
    /// </exception>
    public void Backward(Tensor output, Tensor? seed = null)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (ran)
            throw new InvalidOperationException("Tape.Backward: this tape has run; record the computation again on a new one.");
        if (output.Node?.Tape != this)
            throw new ArgumentException($"Tape.Backward: {output} was not computed from a tensor watched by this tape.");
        if (seed is null && output.Count != 1)
            throw new ArgumentException($"Tape.Backward: {output} has {output.Count} elements; give a seed of its shape.");
        if (seed is not null && (seed.Shape != output.Shape || seed.DType != output.DType))
            throw new ArgumentException($"Tape.Backward: the seed must be like {output}; got {seed}.");
        ran = true;
        var outer = Device.Unfinished;
        var unfinished = Device.Unfinished = [];
        try
        {
            using var scope = Device.Scope();
            output.Node.Pass((seed ?? Tensor.Full(Device, output.Shape, output.DType, 1)).Ref);
            for (var i = nodes.Count - 1; i >= 0; i--)
            {
                scope.Clear();
                unfinished.Clear();
                var node = nodes[i]!;
                nodes[i] = null;
                node.Run();
            }
            nodes.Clear();
        }
        catch
        {
            // What other nodes hold goes with them; what is left was opened by the failed one, which will not come back.
            Dispose();
            foreach (var storage in unfinished) storage.Abandon();
            throw;
        }
        finally
        {
            Device.Unfinished = outer;
        }
    }

    /// <summary>The gradient of a watched tensor, as a tensor of the current scope; null when nothing reached it.</summary>
    public Tensor? Gradient(Tensor watched)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (watched.Node is not LeafNode leaf || leaf.Tape != this)
            throw new ArgumentException($"Tape.Gradient: {watched} is not a tensor returned by Watch of this tape.");
        return leaf.Gradient.IsNone ? null : new Tensor(leaf.Gradient.Retain(), "Gradient");
    }

    /// <summary>Lets go of everything that was saved.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        foreach (var node in nodes) node?.Forget();
        foreach (var leaf in leaves) leaf.Forget();
        nodes.Clear();
        leaves.Clear();
    }

    /// <summary>The tape that records an operation on these operands; null when none is tracked.</summary>
    internal static Tape? Of(params ReadOnlySpan<Tensor?> operands)
    {
        Tape? tape = null;
        foreach (var operand in operands)
        {
            if (operand?.Node is not { } node) continue;
            if (tape is not null && node.Tape != tape)
                throw new InvalidOperationException($"{operand} belongs to another tape than the other operands.");
            tape = node.Tape;
        }
        if (tape is { disposed: true })
            throw new ObjectDisposedException(nameof(Tape), "An operand belongs to a tape that was disposed.");
        return tape;
    }

    /// <summary>Appends an operation's node.</summary>
    internal T Record<T>(T node)
        where T : Node
    {
        nodes.Add(node);
        return node;
    }
}
