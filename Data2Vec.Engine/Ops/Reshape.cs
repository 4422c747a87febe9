using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>The same elements under another shape of the same count; shares memory. Backward saves nothing.</summary>
    /// <exception cref="ArgumentException">The counts differ.</exception>
    public static Tensor Reshape(Tensor x, Shape shape)
    {
        Refuse.Unless(shape.Count == x.Count, $"Reshape: {x} has {x.Count} elements; {shape} needs {shape.Count}.");
        var tape = Tape.Of(x);
        var place = x.Ref.Retain().Reshaped(shape);
        if (tape is null) return new Tensor(place, "Reshape");
        return new Tensor(place, "Reshape", tape.Record(new ReshapeNode(tape, x.Node!, x.Shape)));
    }

    private sealed class ReshapeNode(Tape tape, Node input, Shape shape) : Node(tape, "Reshape")
    {
        protected override void Backward(TensorRef dy) => input.Pass(dy.Reshaped(shape));

        protected override void Release()
        {
        }
    }
}
