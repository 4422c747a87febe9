using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// Activation recomputation: a part of the model that saves only its input and runs again, recorded, when its gradient is
/// wanted. Random draws repeat exactly, because they are functions of the step and the place. Source: Chen et al. 2016.
/// </summary>
public static class Recompute
{
    /// <summary>body(parameters, x), computed now without recording and once more in backward.</summary>
    public static Tensor Run(ParameterView parameters, Tensor x, Func<ParameterView, Tensor, Tensor> body)
    {
        if (parameters.Tape is not { } tape) return body(parameters, x);
        TensorRef y;
        using (var scope = x.Device.Scope())
        using (var silent = parameters.On(null))
        {
            y = body(silent, x.Detach()).Ref.Retain();
        }
        return new Tensor(y, "Recompute", tape.Record(new RecomputeNode(tape, parameters, x.Node, x.Ref.Retain(), body)));
    }

    private sealed class RecomputeNode(
        Tape tape, ParameterView parameters, Node? input, TensorRef x, Func<ParameterView, Tensor, Tensor> body)
        : Node(tape, "Recompute")
    {
        protected override void Backward(TensorRef dy)
        {
            x.Unchanged(Op);
            using var inner = new Tape(Tape.Device);
            using var recorded = parameters.On(inner);
            var watched = inner.Watch(new Tensor(x.Retain(), Op));
            inner.Backward(body(recorded, watched), new Tensor(dy.Retain(), Op));
            if (inner.Gradient(watched) is { } dx) input?.Pass(dx.Ref);
        }

        protected override void Release() => x.Release();
    }
}
