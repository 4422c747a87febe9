namespace Data2Vec.Engine;

/// <summary>
/// The differentiable operations, one file per family. Each takes type and device from its operands, checks shapes with
/// one clear sentence, runs the backend's kernel and, when an operand is tracked, records one node on its tape.
/// </summary>
public static partial class Ops
{
}
