using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// The parameters of a store as tensors: the student's (recorded on a tape, or not) or the teacher's. Forward passes take
/// one, so that the same modules serve both.
/// </summary>
public sealed class ParameterView : IDisposable
{
    private readonly Tensor?[] tensors;

    internal ParameterView(ParameterStore store, Tape? tape, bool teacher)
    {
        Store = store;
        Tape = tape;
        IsTeacher = teacher;
        tensors = new Tensor?[store.Parameters.Count];
    }

    /// <summary>Where the values live.</summary>
    public ParameterStore Store { get; }

    /// <summary>The tape that records what is computed from these tensors; null for none.</summary>
    public Tape? Tape { get; }

    /// <summary>True for the teacher's values.</summary>
    public bool IsTeacher { get; }

    /// <summary>A parameter by its number. The tensor belongs to the view.</summary>
    public Tensor this[int parameter] => tensors[parameter] ??= Make(parameter);

    /// <summary>The same values for another tape (or none): for recomputation.</summary>
    public ParameterView On(Tape? tape) => new(Store, tape, IsTeacher);

    /// <summary>Lets go of the tensors; the values stay in the store.</summary>
    public void Dispose()
    {
        foreach (var tensor in tensors) tensor?.Dispose();
        Array.Clear(tensors);
    }

    private Tensor Make(int parameter)
    {
        var place = Store.PlaceOf(IsTeacher ? ParameterPart.Teacher : ParameterPart.Student, parameter).Retain();
        var node = Tape is null ? null : new ParameterNode(Tape, Store, parameter);
        return new Tensor(place, Store.Parameters[parameter].Name, node, scoped: false);
    }
}

/// <summary>A parameter on a tape: kernels write its gradient straight into the store's flat buffer.</summary>
internal sealed class ParameterNode(Tape tape, ParameterStore store, int parameter) : Node(tape, "Parameter")
{
    private TensorRef Slice => store.PlaceOf(ParameterPart.Gradient, parameter);

    public override void Pass(TensorRef part)
    {
        if (store.HasGradient(parameter))
        {
            Add(Slice, part, Slice);
            return;
        }
        var strides = new Shape(checked((int)part.Shape.Count));
        var args = new StridedCopyArgs
        {
            X = part.View, XStrides = strides.Strides, Y = Slice.View, YStrides = strides.Strides, Shape = strides,
        };
        args.Check();
        Backend.StridedCopy(args);
        store.MarkGradient(parameter);
    }

    public override GradientTarget Open(Shape shape, DType type, bool canAccumulate = false)
    {
        var present = store.HasGradient(parameter);
        return !present || canAccumulate
            ? new GradientTarget(this, Slice.Reshaped(shape), accumulate: present, inPlace: true)
            : base.Open(shape, type);
    }

    internal override void Committed(in GradientTarget target)
    {
        if (target.InPlace) store.MarkGradient(parameter);
        else base.Committed(target);
    }

    protected override void Backward(TensorRef dy)
    {
    }

    protected override void Release()
    {
    }
}
